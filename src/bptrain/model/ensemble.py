"""Several trained networks as one model, which answers with the mean of what they say.

    classes    the mean of the members' outputs: of their probabilities, where these are such
    values     the mean of the members' predictions in the target's own unit, since each has a scaling of its own

Means are in float64, summed in the order of the members (Hansen and Salamon, 1990; Breiman, 1996).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, NamedTuple

import numpy as np

from bptrain.config.schema import Config
from bptrain.data.prepared import Rows
from bptrain.data.raw_columns import encode_rows, is_plain, outside_range_of_columns
from bptrain.data.schema import Schema
from bptrain.data.targets import scaled
from bptrain.engines.base import Outputs
from bptrain.errors import UsageError, Warned
from bptrain.formats.problems import some_of
from bptrain.mapped_rows import by_rows
from bptrain.model.model import Model
from bptrain.model.trained_model import Answers, Encoding, TrainedModel
from bptrain.parts.types import Array
from bptrain.store.ensemble_file import StoredEnsemble
from bptrain.training.evaluation import Seen


class MemberOutputs(NamedTuple):
    """What one member makes of N rows."""

    answers: Array  # N × q: X_L of classes, values in their own unit
    x: Array | None  # of classes X_L in float64, worked out of Z_L, of which losses are made


@dataclass(frozen=True)
class Ensemble(TrainedModel):
    """Several networks for the same question."""

    networks: tuple[Model, ...]
    schema: Schema  # of the first member, but for values, which are answered in their own unit
    config: Config  # of the first member
    stored: StoredEnsemble
    warnings: tuple[Warned, ...] = ()

    @property
    def members(self) -> tuple[Model, ...]:
        """The networks."""
        return self.networks

    @cached_property
    def encodings(self) -> tuple[Encoding, ...]:
        """How the members take rows, each way once; the first is that of the first member."""
        return tuple(
            self.networks[self.encoding_of.index(k)].encodings[0] for k in range(max(self.encoding_of) + 1)
        )

    @cached_property
    def encoding_of(self) -> tuple[int, ...]:
        """The place of each member's encoding among these."""
        known: list[tuple[dict[str, Any], str]] = []
        places = []
        for member in self.networks:
            key = (member.stored.facts.schema, member.w.dtype.str)
            if key not in known:
                known.append(key)
            places.append(known.index(key))
        return tuple(places)

    def outputs_of(self, encoded: Sequence[Array]) -> list[Outputs]:
        """Z_L and X_L of each member, of rows in each of the encodings."""
        return [
            member.outputs_of(encoded[place])
            for member, place in zip(self.networks, self.encoding_of, strict=True)
        ]

    def answers_of(self, encoded: Sequence[Array]) -> Answers:
        """The mean, and what it is of."""
        of_members = zip(self.networks, self.outputs_of(encoded), strict=True)
        return self.mean_answers([answers_of_member(member, outputs.X_L) for member, outputs in of_members])

    def mean_answers(self, each: Sequence[Array], counted: Array | None = None) -> Answers:
        """The mean of the members' answers, N × q each; of each row of those `counted`, N × M (None: all)."""
        return Answers(mean_of(each, counted), tuple(each))

    def member_outputs(self, member: Model, outputs: Outputs) -> MemberOutputs:
        """What is kept of a member's outputs to make `seen` of."""
        x = None
        if self.schema.task == "classification":
            f_L = member.network.activations[-1].f
            with np.errstate(all="ignore"):
                x = by_rows(lambda Z: f_L(Z.astype(np.float64)), outputs.Z_L)
        return MemberOutputs(answers_of_member(member, outputs.X_L), x)

    def seen(
        self, each: Sequence[MemberOutputs], rows: Rows, counted: Array | None = None
    ) -> tuple[Answers, Seen]:
        """The mean, and what it is worth on rows whose truth is known, which were encoded as the first member does.

        The loss is that of the first member's config, of the mean; values are scaled as that member's are.
        """
        answers = self.mean_answers([one.answers for one in each], counted)
        first, schema = self.networks[0], self.schema
        E = first.network.loss.E
        with np.errstate(all="ignore"):
            if schema.task == "regression":
                losses = by_rows(
                    lambda y, T: E(scaled(first.schema.target, y), T.astype(np.float64)),
                    answers.outputs,
                    rows.T,
                )
                return answers, Seen(losses, answers.outputs, None)
            x = mean_of([one.x for one in each if one.x is not None], counted)
            losses = by_rows(lambda x, T: E(x, T.astype(np.float64)), x, rows.T)
        predicted = by_rows(schema.classes_of, answers.outputs)
        return answers, Seen(losses, predicted, by_rows(schema.scores_of, answers.outputs))

    def _outputs(self, X: Any) -> Array:
        """The mean for raw rows; what is odd about these is said as a warning of Python to who called the caller.

        Raises DataError.
        """
        if isinstance(X, np.ndarray) and is_plain(X, self.schema):
            plain = self.answers_of_plain(X)
            if plain is not None:
                odd = [outside_range_of_columns(X, encoding.schema) for encoding in self.encodings]
                self._say(first_of_each_name(odd), 4)
                return plain.outputs
        encoded = [encode_rows(X, encoding.schema, encoding.dtype) for encoding in self.encodings]
        self._say(first_of_each_name([odd for _, odd in encoded]), 4)
        return self.answers_of([rows for rows, _ in encoded]).outputs

    def answers_of_plain(self, raw: Array) -> Answers | None:
        """The mean for raw numbers, N × columns in the order of training; None where `outputs_of_plain` has none."""
        each = []
        for member in self.networks:
            outputs = member.outputs_of_plain(raw)
            if outputs is None:
                return None
            each.append(answers_of_member(member, outputs))
        return self.mean_answers(each)


def ensemble_of(networks: Sequence[Model], stored: StoredEnsemble) -> Ensemble:
    """The ensemble of some networks. Raises UsageError where they do not answer the same question."""
    for k, member in enumerate(networks[1:], start=2):
        difference = difference_between(networks[0], member)
        if difference is not None:
            raise UsageError(f"members 1 and {k} cannot answer together, since their {difference}")
    first = networks[0]
    target = first.schema.target
    if first.schema.task == "regression":
        m = len(target.names)
        target = target._replace(center=(0.0,) * m, spread=(1.0,) * m, function="identity", bounds=())
    warnings = [
        Warned(name, f"member {k}: {message}")
        for k, member in enumerate(networks, start=1)
        for name, message in member.warnings
    ]
    schema = first.schema._replace(target=target)
    return Ensemble(tuple(networks), schema, first.config, stored, tuple(warnings))


def difference_between(a: Model, b: Model) -> str | None:
    """In what two models differ that one answer cannot be made of, as the end of a sentence; None: in nothing."""
    one, other = a.schema, b.schema
    for what, ours, theirs in (
        ("tasks", one.task, other.task),
        ("targets", ", ".join(one.target.names), ", ".join(other.target.names)),
        ("outputs for classes", coding_of(one), coding_of(other)),
    ):
        if ours != theirs:
            return f"{what} differ: {ours}; {theirs}"
    if one.labels != other.labels:
        return f"labels, or their order, differ: {some_of(one.labels)}; {some_of(other.labels)}"
    columns = [[f"{feature.name} ({feature.kind})" for feature in schema.features] for schema in (one, other)]
    if columns[0] != columns[1]:
        only = [[name for name in columns[k] if name not in columns[1 - k]] for k in (0, 1)]
        if not any(only):
            return "columns differ in their order"
        return f"columns differ: {some_of(only[0]) or 'none'}; {some_of(only[1]) or 'none'}"
    return None


def coding_of(schema: Schema) -> str:
    """How outputs stand for classes, in words."""
    n = schema.n_outputs
    yes = (
        f", a yes from {schema.target.threshold:g} on"
        if schema.target.kind in ("binary", "multilabel")
        else ""
    )
    return f"{n} output{'' if n == 1 else 's'}{yes}" if schema.task == "classification" else ""


def answers_of_member(member: Model, X_L: Array) -> Array:
    """What a mean can be made of: outputs of classes, values in their own unit."""
    return by_rows(member.schema.decode, X_L) if member.schema.task == "regression" else X_L


def mean_of(arrays: Sequence[Array], counted: Array | None = None) -> Array:
    """The mean of arrays, N × q each, in float64; of each row those `counted`, N × M true and false (None: all)."""
    if counted is None:
        return by_rows(lambda *parts: total(parts) / len(parts), *arrays)

    def of_some(which: Array, *parts: Array) -> Array:
        some = [np.where(which[:, k : k + 1], part, 0.0) for k, part in enumerate(parts)]
        return total(some) / which.sum(axis=1, keepdims=True)

    return by_rows(of_some, counted, *arrays)


def total(parts: Sequence[Array]) -> Array:
    """The sum in float64, one after the other."""
    with np.errstate(all="ignore"):  # of values beyond all bounds
        return reduce(lambda sum_so_far, part: sum_so_far + part, parts[1:], parts[0].astype(np.float64))


def spread_of(arrays: Sequence[Array]) -> Array:
    """The standard deviation of M arrays, N × q each, in float64, dividing by M − 1."""

    def deviation(*parts: Array) -> Array:
        with np.errstate(all="ignore"):
            mean = total(parts) / len(parts)
            return np.asarray(np.sqrt(total([(part - mean) ** 2 for part in parts]) / (len(parts) - 1)))

    return by_rows(deviation, *arrays)


def first_of_each_name(odd: Sequence[Sequence[Warned]]) -> list[Warned]:
    """Of the warnings of several members all that the first one has of each name."""
    said: dict[str, list[Warned]] = {}
    for of_member in odd:
        of_names: dict[str, list[Warned]] = {}
        for one in of_member:
            of_names.setdefault(one.name, []).append(one)
        said = {**of_names, **said}
    return [one for found in said.values() for one in found]
