"""A trained model: weights with everything that turns raw columns into predictions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bptrain.config.schema import Config
from bptrain.core.network import Network
from bptrain.data.raw_columns import Encoder, encode_rows, is_plain, outside_range_of_columns
from bptrain.data.schema import Schema
from bptrain.engines.base import Outputs
from bptrain.engines.choice import forward_pass
from bptrain.engines.row_threads import Parts
from bptrain.engines.threads import threads_at_hand
from bptrain.errors import Warned
from bptrain.model.trained_model import Answers, Encoding, TrainedModel
from bptrain.parts.types import Array
from bptrain.store import checkpoint

ROWS_AT_ONCE = 8192  # of a large array, from raw columns to labels


@dataclass(frozen=True)
class Model(TrainedModel):
    """A network with its weights, and the schema of the columns it was trained on."""

    network: Network
    w: Array  # the flat weights
    schema: Schema
    config: Config
    stored: checkpoint.Stored
    warnings: tuple[Warned, ...] = ()  # about what it was loaded with, but for those that its config silences

    def outputs_of(self, X: Array) -> Outputs:
        """Z_L and X_L of encoded rows, N × n_0, by the engine that trained the model where that is installed."""
        return self._forward(self.w, X)

    @property
    def members(self) -> "tuple[Model, ...]":
        """Itself: one network."""
        return (self,)

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        """How it takes rows."""
        return (Encoding(self.schema, self.w.dtype),)

    def answers_of(self, encoded: Sequence[Array]) -> Answers:
        """X_L of encoded rows."""
        (X,) = encoded
        return Answers(self.outputs_of(X).X_L)

    def answers_of_plain(self, raw: Array) -> Answers | None:
        """X_L of raw numbers, where `outputs_of_plain` has it."""
        outputs = self.outputs_of_plain(raw)
        return None if outputs is None else Answers(outputs)

    def _outputs(self, X: Any) -> Array:
        """X_L of raw rows; what is odd about these is said as a warning of Python to who called the caller.

        Raises DataError.
        """
        outputs, odd = None, list[Warned]()
        if isinstance(X, np.ndarray) and is_plain(X, self.schema):
            outputs = self.outputs_of_plain(X)
        if outputs is None:  # an error about all rows together has their own numbers
            encoded, odd = encode_rows(X, self.schema, self.w.dtype)
            outputs = self.outputs_of(encoded).X_L
        else:
            odd = outside_range_of_columns(X, self.schema)
        self._say(odd, 4)
        return outputs

    def outputs_of_plain(self, raw: Array) -> Array | None:
        """X_L of raw numbers, N × columns in the order of training; None where one of them is not finite when scaled.

        So it is of other shapes, and of few rows, which `outputs_of` takes together. Parts of many are worked on at the
        same time, each of which stays in the cache from raw columns to outputs.
        """
        if raw.ndim != 2 or len(raw) <= ROWS_AT_ONCE or raw.shape[1] != len(self.schema.features):
            return None
        forward = self._forward_by_one_thread

        def outputs(rows: slice) -> list[Array | None]:
            encode, found = Encoder(self.schema, self.w.dtype, ROWS_AT_ONCE), list[Array | None]()
            for a in range(rows.start, rows.stop, ROWS_AT_ONCE):
                X = encode.plain(raw[a : min(a + ROWS_AT_ONCE, rows.stop)])
                found.append(None if X is None else forward(self.w, X).X_L.copy())
            return found

        parts = [found for part in self._parts.run(outputs, len(raw), ROWS_AT_ONCE) for found in part]
        sound = [found for found in parts if found is not None]
        return np.concatenate(sound) if len(sound) == len(parts) else None

    @cached_property
    def _parts(self) -> Parts:
        return Parts(threads_at_hand())

    @cached_property
    def _forward_by_one_thread(self) -> Callable[[Array, Array], Outputs]:
        return forward_pass(self._engine, self.network, self.w.dtype, threads=1)

    @cached_property
    def _forward(self) -> Callable[[Array, Array], Outputs]:
        return forward_pass(self._engine, self.network, self.w.dtype)

    @property
    def _engine(self) -> str:
        return str(self.stored.facts.numerics.get("engine", "numpy"))
