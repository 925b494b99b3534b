"""The derivation's lines as comments of a compiled loop: each says what the lines below it work out.

They are written for one instance, with columns, as the derivation has them; a batch has an instance per row.
"""

from typing import NamedTuple

from bptrain.core.network import Network


class Equations(NamedTuple):
    """The lines of one network; `masked` are the layers whose units are dropped by a mask."""

    network: Network
    masked: tuple[int, ...]

    def layer(self, i: int) -> str:
        """Layer i, forward."""
        bias = f" + b_{i}" if self.network.bias[i] else ""
        mask = f", y_{i} = x_{i} ∘ m_{i}" if i in self.masked else ""
        return f"# z_{i} = W_{i} {self._given(i)}{bias}, x_{i} = f_{i}(z_{i}){mask}"

    def output(self) -> str:
        """The loss, and δ_L."""
        L = self.network.L
        if self.network.canonical:
            return f"# E(x_{L}, t), δ_{L} = x_{L} − t"
        return f"# E(x_{L}, t), δ_{L} = {self._through(L, f'∂E/∂x_{L}')}"

    def delta(self, i: int) -> str:
        """δ_i from δ_{i+1}; with steps before W_1, ∂E/∂x_0 for i = 0."""
        if i == 0:
            return f"# ∂E/∂x_0 = (W_1ᵀ δ_1){' ∘ m_0' if 0 in self.masked else ''}"
        return f"# δ_{i} = {self._through(i, f'(W_{i + 1}ᵀ δ_{i + 1})')}"

    def gradient(self, i: int) -> str:
        """What the objective's derivative is with respect to W_i and b_i."""
        bias = f", ∂E/∂b_{i} = δ_{i}" if self.network.bias[i] else ""
        return f"# ∂E/∂W_{i} = δ_{i} {self._given(i)}ᵀ{bias}"

    def update(self, i: int) -> str:
        """The update of W_i and b_i."""
        bias = f", b_{i} ← b_{i} − step(∂E/∂b_{i})" if self.network.bias[i] else ""
        return f"# W_{i} ← W_{i} − step(∂E/∂W_{i}){bias}"

    def folded(self, i: int, slot: bool) -> str:
        """The same where the product that forms the gradient adds it to W_i, or to a slot."""
        into = f"v ← β v + α δ_{i} {self._given(i)}ᵀ, W_{i} ← W_{i} − step(v)"
        return (
            f"# {into if slot else f'W_{i} ← β W_{i} + α δ_{i} {self._given(i)}ᵀ'}: ∂E/∂W_{i} is never stored"
        )

    def _given(self, i: int) -> str:
        """What layer i is given."""
        return f"y_{i - 1}" if i - 1 in self.masked else f"x_{i - 1}"

    def _through(self, i: int, delta: str) -> str:
        """What comes from above, through the mask and the activation of layer i."""
        mask = f" ∘ m_{i}" if i in self.masked else ""
        if self.network.activations[i].df is None:
            return f"J_{i}ᵀ ({delta}{mask})" if mask else f"J_{i}ᵀ {delta}"
        return f"{delta}{mask} ∘ f_{i}'(z_{i})"
