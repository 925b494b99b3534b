"""What a trained model makes of rows whose truth is known, of an ensemble with that of each of its members."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bptrain.data.one_column import column_of
from bptrain.data.prepared import Rows
from bptrain.data.sources import DataSource
from bptrain.errors import Warned
from bptrain.model.ensemble import Ensemble
from bptrain.model.model import Model
from bptrain.model.rows_to_evaluate import Evaluated
from bptrain.model.trained_model import Answers, TrainedModel
from bptrain.parts.types import Array
from bptrain.store.loss_history import training_losses
from bptrain.store.run_directory import RunDirectory
from bptrain.training.evaluation import Baseline, Seen, evaluation_of, seen_by
from bptrain.training.learning_checks import learning_warnings
from bptrain.training.observations import Observations, split_error


class OnRows(NamedTuple):
    """One network on rows."""

    number: int  # of the member of an ensemble, counted from 1
    model: Model
    rows: Rows
    seen: Seen


class Answered(NamedTuple):
    """A model on rows, and where they were read from."""

    split: str  # "data" for rows that are no split of the run
    rows: Rows  # of an ensemble on its own rows without X
    source: DataSource
    warnings: tuple[Warned, ...]  # what is odd about them
    answers: Answers
    seen: Seen
    members: tuple[OnRows, ...]  # the networks, each on its own split; those that have such a split

    def column(self, name: str, model: TrainedModel) -> Array:
        """The cells of these rows in a column: numbers with NaN, or texts with None. Raises DataError."""
        settings = model.config.data
        every = column_of(self.source, name, model.schema, settings.features, settings.target)
        return np.asarray(every[self.rows.row_index])


def answered(model: TrainedModel, evaluated: Evaluated) -> Answered:
    """What a model makes of rows in each of its encodings."""
    split, encoded, source, warnings = evaluated
    rows = encoded[0]
    if isinstance(model, Ensemble):
        outputs = model.outputs_of([one.X for one in encoded])
        members = tuple(
            OnRows(
                k, member, encoded[place], seen_by(member.network, of_member, member.schema, encoded[place])
            )
            for k, (member, place, of_member) in enumerate(
                zip(model.networks, model.encoding_of, outputs, strict=True), start=1
            )
        )
        each = [model.member_outputs(*pair) for pair in zip(model.networks, outputs, strict=True)]
        answers, seen = model.seen(each, rows)
    else:
        (network,) = model.members
        of_rows = network.outputs_of(rows.X)
        answers, seen = Answers(of_rows.X_L), seen_by(network.network, of_rows, network.schema, rows)
        members = (OnRows(1, network, rows, seen),)
    return Answered(split, rows, source, warnings, answers, seen, members)


def unlearned(found: Answered, runs: Sequence[Path], several: bool) -> Iterator[Warned]:
    """Warnings of networks that have learned nothing, as far as these rows tell; of `several` with the member.

    `runs` are those of all networks, where they are at hand.
    """
    told: dict[str, list[str]] = {}  # name -> members, the message of the first before them
    for k, model, rows, seen in found.members:
        refit = model.stored.before_refit is not None
        losses = training_losses(RunDirectory(runs[k - 1]), refit) if runs else ()
        for name, message in learning_warnings(observations_of(model, rows, seen, found.split, losses)):
            told.setdefault(name, [message]).append(str(k))
    for name, (message, first, *others) in told.items():
        also = f" (likewise members {', '.join(others)})" if others else ""
        yield Warned(name, f"member {first}: {message}{also}" if several else message)


def observations_of(
    model: Model, rows: Rows, seen: Seen, split: str, losses: tuple[float, ...]
) -> Observations:
    """What is looked at to tell whether a network has learned."""
    schema, guess = model.schema, Baseline.from_json(model.stored.facts.baseline)
    return Observations(
        config=model.config,
        schema=schema,
        network=model.network,
        w=model.w,
        updates=model.stored.fit_updates,
        rows=rows,
        splits=(split_error(split, schema, rows, seen.predicted, guess),),
        guess=guess,
        figures={f"{split} rows": evaluation_of(seen, schema, rows, {}).loss},
        losses=losses,
    )
