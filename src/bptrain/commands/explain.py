"""What `bptrain explain` prints: the derivation of one network, with the shape of each factor and product.

The lines are those of one instance, with columns, as the derivation writes them; the shapes are the check of
dimensions that it does by hand.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.build.data import prepare_data
from bptrain.build.making import dtype_of, make
from bptrain.build.network import activation_parts, build_network, network_of_schema
from bptrain.build.updates import build_plan
from bptrain.config import load_config
from bptrain.config.part import PartConfig
from bptrain.config.schema import Config
from bptrain.core.network import Network
from bptrain.engines.compiled.running import sources
from bptrain.errors import Problem, UsageError
from bptrain.parts.activations import activations
from bptrain.parts.describe import beside_options, formula
from bptrain.parts.losses import losses
from bptrain.parts.methods import UpdateRule, methods
from bptrain.parts.schedules import schedules
from bptrain.parts.solvers import Solver
from bptrain.registry import Registry
from bptrain.translate.expressions import Untranslatable


class DerivationLine(NamedTuple):
    """One equation."""

    equation: str
    shapes: str  # "5×1 = 5×4 · 4×1", or "" for a remark


class DerivationSection(NamedTuple):
    """Some equations under a heading."""

    title: str
    lines: tuple[DerivationLine, ...]


class Explanation(NamedTuple):
    """The derivation of one network."""

    sections: tuple[DerivationSection, ...]

    def record(self) -> dict[str, Any]:
        """The fields of explain's JSON."""
        return {
            "sections": [
                {"title": section.title, "lines": [line._asdict() for line in section.lines]}
                for section in self.sections
            ]
        }


def explain(config: Path, overrides: Sequence[str] | Mapping[str, Any] = ()) -> Explanation:
    """Explains a config; reads its data only where the config leaves a size or the task to it.

    Raises UsageError or DataError.
    """
    loaded = load_config(config, overrides)
    settings = loaded.config
    sizes = settings.network.sizes
    if "auto" in (sizes[0], sizes[-1]) or (settings.network.activations is None and settings.task == "auto"):
        schema = prepare_data(loaded).schema
        task: str = schema.task
        network = network_of_schema(settings, schema)
    else:
        task = settings.task
        network = build_network(settings, [int(n) for n in sizes], task)
    parts = (PartConfig("", {}), *activation_parts(settings, task))
    added = tuple(DerivationLine(text, "") for text in additions(settings, network))
    return Explanation(
        (
            about(network, parts),
            forward_lines(network, parts),
            loss_lines(settings, network),
            backward_lines(network),
            *((DerivationSection("Added", added),) if added else ()),
            update_lines(settings, network),
        )
    )


def kernel(config: Path, overrides: Sequence[str] | Mapping[str, Any] = ()) -> str:
    """The training loop that the compiled engine runs for a config, as Python text.

    Raises UsageError, with the reason for a part that cannot be compiled, or DataError.
    """
    loaded = load_config(config, overrides)
    prepared = prepare_data(loaded)
    network = network_of_schema(loaded.config, prepared.schema)
    plan = build_plan(loaded.config, network, len(prepared.splits["train"].X))
    try:
        return "\n\n".join(sources(plan, dtype_of(loaded.config)))
    except Untranslatable as error:
        raise UsageError(Problem("not_compiled", f"no loop can be generated: {error}")) from error


def shape(rows: int, columns: int) -> str:
    """rows×columns."""
    return f"{rows}×{columns}"


def about(network: Network, parts: Sequence[PartConfig]) -> DerivationSection:
    """What the network is, and what the letters mean."""
    sizes = " → ".join(str(n) for n in network.sizes)
    names = [part.name for part in parts[1:]]
    each = names[0] if len(set(names)) == 1 else ", ".join(names)
    used = {part.name: formula(activations, part.name) for part in parts[1:]}
    return DerivationSection(
        "Network",
        (
            DerivationLine(f"{sizes}: L = {network.L} layers, {each}, {network.size} parameters", ""),
            *(DerivationLine(f"{name}: f(z) = {text}", "") for name, text in used.items()),
            DerivationLine("one instance is a column; ∘ is the element-wise product, ᵀ the transpose", ""),
        ),
    )


def forward_lines(network: Network, parts: Sequence[PartConfig]) -> DerivationSection:
    """z_i = W_i x_{i−1} + b_i and x_i = f_i(z_i)."""
    lines = []
    for i in range(1, network.L + 1):
        n_out, n_in = network.sizes[i], network.sizes[i - 1]
        bias = network.bias[i]
        lines.append(
            DerivationLine(
                f"z_{i} = W_{i} x_{i - 1}" + (f" + b_{i}" if bias else ""),
                f"{shape(n_out, 1)} = {shape(n_out, n_in)} · {shape(n_in, 1)}"
                + (f" + {shape(n_out, 1)}" if bias else ""),
            )
        )
        column = shape(n_out, 1)
        lines.append(
            DerivationLine(f"x_{i} = f_{i}(z_{i}),  f_{i} = {parts[i].name}", f"{column} = f({column})")
        )
    return DerivationSection("Forward", tuple(lines))


def loss_lines(config: Config, network: Network) -> DerivationSection:
    """E, and how the rows of a batch are put together."""
    L, n = network.L, network.sizes[-1]
    over = "the sum of E over its rows" if network.reduction == "sum" else "the mean of E over its rows"
    return DerivationSection(
        f"Loss: {config.loss.name}",
        (
            DerivationLine(
                f"E = {formula(losses, config.loss.name)}, x = x_{L}",
                f"1×1 of {shape(n, 1)} and {shape(n, 1)}",
            ),
            DerivationLine(f"the objective of a batch is {over}", ""),
        ),
    )


def backward_lines(network: Network) -> DerivationSection:
    """δ_L, the recursion δ_i, and the gradients of each layer."""
    lines = []
    for i in range(network.L, 0, -1):
        n_out, n_in = network.sizes[i], network.sizes[i - 1]
        lines.append(output_delta_line(network) if i == network.L else delta_line(network, i))
        lines.append(
            DerivationLine(
                f"∂E/∂W_{i} = δ_{i} x_{i - 1}ᵀ",
                f"{shape(n_out, n_in)} = {shape(n_out, 1)} · {shape(1, n_in)}",
            )
        )
        if network.bias[i]:
            lines.append(DerivationLine(f"∂E/∂b_{i} = δ_{i}", shape(n_out, 1)))
    return DerivationSection("Backward", tuple(lines))


def output_delta_line(network: Network) -> DerivationLine:
    """δ_L: x_L − t for a canonical pair, else ∂E/∂x_L through f_L."""
    L = network.L
    column = shape(network.sizes[L], 1)
    if network.canonical and network.loss.canonical != "identity":
        return DerivationLine(
            f"δ_{L} = x_{L} − t  (f_{L}' and the loss cancel)", f"{column} = {column} − {column}"
        )
    error = f"(x_{L} − t)" if network.loss.canonical == "identity" else f"∂E/∂x_{L}"
    if network.canonical:
        return DerivationLine(f"δ_{L} = x_{L} − t  (f_{L}' = 1)", f"{column} = {column} − {column}")
    if network.activations[L].df is None:
        square = shape(network.sizes[L], network.sizes[L])
        return DerivationLine(
            f"δ_{L} = J_{L}ᵀ {error}  (J the Jacobian of f_{L})", f"{column} = {square} · {column}"
        )
    return DerivationLine(f"δ_{L} = {error} ∘ f_{L}'(z_{L})", f"{column} = {column} ∘ {column}")


def delta_line(network: Network, i: int) -> DerivationLine:
    """δ_i = (W_{i+1}ᵀ δ_{i+1}) ∘ f_i'(z_i)."""
    column, above = shape(network.sizes[i], 1), shape(network.sizes[i + 1], 1)
    product = f"{shape(network.sizes[i], network.sizes[i + 1])} · {above}"
    if network.activations[i].df is None:
        square = shape(network.sizes[i], network.sizes[i])
        return DerivationLine(f"δ_{i} = J_{i}ᵀ (W_{i + 1}ᵀ δ_{i + 1})", f"{column} = {square} · ({product})")
    return DerivationLine(
        f"δ_{i} = (W_{i + 1}ᵀ δ_{i + 1}) ∘ f_{i}'(z_{i})", f"{column} = ({product}) ∘ {column}"
    )


def update_lines(config: Config, network: Network) -> DerivationSection:
    """W_i ← W_i − α ∘ ∂E/∂W_i, or the rule in its place."""
    rule: UpdateRule = make(methods, config.optimizer)
    if isinstance(rule, Solver):
        return DerivationSection(
            "Update",
            (
                DerivationLine(f"{config.optimizer.name}: {formula(methods, config.optimizer.name)}", ""),
                DerivationLine(
                    f"w is all of W_1 … b_{network.L} in one vector, g = ∂E/∂w over all training rows",
                    f"w, g: {shape(network.size, 1)}",
                ),
                DerivationLine("an epoch is one iteration (training.mode: batch)", ""),
            ),
        )
    rates = rule.learning_rate if isinstance(rule.learning_rate, tuple) else (rule.learning_rate,) * network.L
    plain_descent, decay = config.optimizer.name == "gradient_descent", config.optimizer.weight_decay
    lines = []
    for i in range(network.L, 0, -1):
        n_out, n_in = network.sizes[i], network.sizes[i - 1]
        step = f"α_{i} ∘ ∂E/∂W_{i}" if plain_descent else f"step(∂E/∂W_{i})"
        if decay:
            step = f"α_{i} λ W_{i} − {step}"
        matrix = shape(n_out, n_in)
        lines.append(
            DerivationLine(f"W_{i} ← W_{i} − {step},  α_{i} = {rates[i - 1]:g}", f"{matrix} − {matrix}")
        )
        if network.bias[i]:
            lines.append(
                DerivationLine(
                    f"b_{i} ← b_{i} − {step.replace('W', 'b')}", f"{shape(n_out, 1)} − {shape(n_out, 1)}"
                )
            )
    if not plain_descent:
        lines.append(
            DerivationLine(f"step is {config.optimizer.name}: {formula(methods, config.optimizer.name)}", "")
        )
    lines += beside_lines(methods, config.optimizer)
    if config.schedule.name != "constant":
        text = formula(schedules, config.schedule.name)
        lines.append(
            DerivationLine(f"every α is multiplied by the schedule {config.schedule.name}: {text}", "")
        )
    lines += beside_lines(schedules, config.schedule)
    when = {"sgd": "every instance", "batch": "the whole set"}.get(
        config.training.mode,
        f"every {(config.training.batch_size or 32) * config.training.accumulate} instances",
    )
    lines.append(DerivationLine(f"one update after {when} (training.mode: {config.training.mode})", ""))
    return DerivationSection("Update", tuple(lines))


def beside_lines(registry: Registry[Any], part: PartConfig) -> Iterator[DerivationLine]:
    """What a part's additional options do."""
    for option in beside_options(registry, part.name):
        value = part.beside[option.name]
        if option.explain is not None and value:
            yield DerivationLine(option.explain(value), "")


def additions(config: Config, network: Network) -> Iterator[str]:
    """The equations as weights, dropout, penalties and bounds change them."""
    yield from _of_the_rows(config, network)
    yield from _of_the_gradient(config, network)
    yield from _of_the_weights(config)


def _of_the_rows(config: Config, network: Network) -> Iterator[str]:
    if config.data.weight is not None or config.loss.class_weight is not None:
        over = "; the mean divides by Σ v" if network.reduction == "mean" else ""
        yield f"an instance has weight v: δ_{network.L} ← v δ_{network.L}{over}"
    for i in network.masked:
        share = network.dropout[i]
        delta = f", and δ_{i} ← m_{i} ∘ δ_{i}" if i > 0 else ""
        yield (
            f"dropout: z_{i + 1} and ∂E/∂W_{i + 1} have m_{i} ∘ x_{i} in place of x_{i}{delta}; an entry of m_{i} "
            f"is 0 with probability {share:g}, else {1 / (1 - share):.4g}; only in training"
        )


def _of_the_gradient(config: Config, network: Network) -> Iterator[str]:
    training = config.training
    terms = [f"{network.l1:g} sign(W_i)"] if network.l1 else []
    terms += [f"{network.l2:g} W_i"] if network.l2 else []
    if terms:
        yield f"penalty: ∂E/∂W_i ← ∂E/∂W_i + {' + '.join(terms)}, once per batch"
    if training.clip_norm is not None:
        yield f"clip_norm: g ← g min(1, {training.clip_norm:g} / ‖g‖), g all of ∂E/∂W_1 … ∂E/∂b_{network.L}"
    if training.clip_value is not None:
        yield f"clip_value: every entry of g is clipped to ±{training.clip_value:g}"
    if training.noise is not None:
        variance = f"{training.noise.std:g}² / t^{training.noise.decay:g}"
        yield f"noise: g ← g + N(0, {variance}) in update t"


def _of_the_weights(config: Config) -> Iterator[str]:
    training = config.training
    if training.max_norm is not None:
        yield f"max_norm: after an update each row of W_i is scaled down to a norm of at most {training.max_norm:g}"
    if training.average is not None:
        decay = training.average.decay
        yield (
            f"average: w̄ ← β w̄ + (1 − β) w after update t, β = min({decay:g}, (t − 1) / (t + 8)); w̄ is evaluated "
            "and saved"
        )
