"""An ensemble on the rows that its members were trained on, validated and tested with.

    test          the rows that some member tests; unseen by all of them, else there is none
    validation    the rows that some member validates, each by the mean of the members that were not trained on it: of
                  all members where they share their split, of the one that has the row as validation by folds
    train         the rows that some member was trained on, by the mean of all

A row is known by its number in its file, so all members must have been trained on the same files.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bptrain.build.data import data_settings, prepare_data
from bptrain.build.setup import NOTHING, load_given
from bptrain.data.memory import InMemory
from bptrain.data.prepared import KeptSchema, Rows
from bptrain.data.sources import DataSource
from bptrain.errors import DataError, UsageError, Warned
from bptrain.mapped_rows import room_of
from bptrain.model.answered_rows import Answered, OnRows, answered
from bptrain.model.ensemble import Ensemble, MemberOutputs
from bptrain.model.load import RunData, run_data, runs_of_networks
from bptrain.model.model import Model
from bptrain.model.rows_to_evaluate import SPLITS, rows_of_split
from bptrain.model.trained_model import TrainedModel
from bptrain.parts.types import Array
from bptrain.store.run_directory import RunDirectory
from bptrain.training.evaluation import seen_by

ROW_INDEX = "split_index"  # the role of a file without rows


class SplitOfMember(NamedTuple):
    """What a member makes of one of its own splits."""

    on_rows: OnRows
    outputs: MemberOutputs


class MemberOnData(NamedTuple):
    """A member on the data of its run."""

    run: Path
    rows: Mapping[str, Rows]  # of each split
    seen: Mapping[str, SplitOfMember]  # of the splits that were needed
    roles: Mapping[str, str]  # split -> the file that its rows are in
    sources: Mapping[str, DataSource]

    def numbers(self, role: str, splits: Sequence[str] = SPLITS) -> Array:
        """The numbers of the rows of a file that are in some splits."""
        found = [self.rows[name].row_index for name in splits if self.roles.get(name) == role]
        return np.concatenate(found) if found else np.empty(0, np.int64)

    def gathered_rows(self, role: str, numbers: Array) -> Rows:
        """The rows of a file with these numbers, as this member encodes targets, without X."""
        every = [rows for name, rows in self.rows.items() if self.roles[name] == role]

        def of(field: str) -> Array | None:
            have = [(rows.row_index, getattr(rows, field)) for rows in every]
            return None if any(array is None for _, array in have) else gathered(have, numbers)

        T, y_true = of("T"), of("y_true")
        assert T is not None
        assert y_true is not None
        X = np.empty((len(numbers), 0), T.dtype)
        weights = of("sample_weight"), of("row_weight")
        return Rows(X, T, y_true, numbers, *weights, groups=gathered_groups(every, numbers))

    def gathered_outputs(self, role: str, numbers: Array) -> MemberOutputs:
        """What this member makes of the rows of a file with these numbers."""
        every = [
            (self.rows[name].row_index, seen.outputs)
            for name, seen in self.seen.items()
            if self.roles[name] == role
        ]
        answers = gathered([(own, outputs.answers) for own, outputs in every], numbers)
        x = [(own, outputs.x) for own, outputs in every if outputs.x is not None]
        return MemberOutputs(answers, gathered(x, numbers) if x else None)


class EnsembleOnData:
    """An ensemble on the data of its members' runs, which is read as often as members take rows differently."""

    def __init__(
        self,
        ensemble: Ensemble,
        runs: Sequence[Path],
        splits: Sequence[str] = SPLITS,
        data_root: Path | None = None,
        given: Mapping[str, InMemory] = NOTHING,
    ) -> None:
        """`splits` are those that will be asked for. Raises what reading the data raises; UsageError for other data."""
        self.ensemble = ensemble
        refuse_other_data(ensemble, runs)
        needed = ("test",) if tuple(splits) == ("test",) else SPLITS
        self.members: list[MemberOnData] = []
        last: tuple[str, RunData] | None = None
        for k, (member, path) in enumerate(zip(ensemble.networks, runs, strict=True), start=1):
            key = reading_of(member)
            if last is None or last[0] != key:
                last = (key, data_of_member(member, RunDirectory(path), data_root, given))
            self.members.append(on_data(ensemble, k, path, last[1], needed))

    @property
    def splits(self) -> tuple[str, ...]:
        """Those that some member has, in the order of preference."""
        return tuple(name for name in SPLITS if any(name in member.rows for member in self.members))

    def answered(self, split: str) -> Answered:
        """The rows of a split. Raises UsageError where there are none, or a member has seen those of test."""
        having = [member for member in self.members if split in member.rows]
        if not having:
            raise UsageError(f"this ensemble has no {split} rows; it has {', '.join(self.splits)}")
        first = having[0]
        role = first.roles[split]
        wanted = reduce(np.union1d, (member.rows[split].row_index for member in having))
        if split == "test":
            self._refuse_seen(wanted, role)
        numbers = reduce(np.intersect1d, (member.numbers(role) for member in self.members), wanted)
        if not len(numbers):
            raise DataError(f"there is no {split} row that all members can predict")
        counted = None
        if split == "validation":
            unseen = [~np.isin(numbers, member.numbers(role, ("train",))) for member in self.members]
            counted = None if all(one.all() for one in unseen) else np.column_stack(unseen)
        rows = self.members[0].gathered_rows(role, numbers)
        each = [member.gathered_outputs(role, numbers) for member in self.members]
        answers, seen = self.ensemble.seen(each, rows, counted)
        notes = first.rows[split].notes
        if len(numbers) < len(wanted):
            left = len(wanted) - len(numbers)
            notes = (
                *notes,
                f"{left:,} of {len(wanted):,} rows are left out: a member drops them for missing cells",
            )
        own = tuple(member.seen[split].on_rows for member in having)
        source = first.sources[split]
        warned = tuple(self._trained_on()) if split == "validation" else ()
        return Answered(split, rows._replace(notes=notes), source, warned, answers, seen, own)

    def _trained_on(self) -> Iterator[Warned]:
        """That the validation rows are no new ones to members that ended with a refit."""
        if any(member.stored.before_refit is not None for member in self.ensemble.networks):
            message = (
                f"members of {self.ensemble.stored.path} were trained on the validation rows too (training.refit), so "
                "figures on them say nothing of new rows"
            )
            yield Warned("trained_on_validation", message)

    def _refuse_seen(self, wanted: Array, role: str) -> None:
        """Raises UsageError where a member was trained on test rows, or chosen by them."""
        for k, member in enumerate(self.members, start=1):
            n = len(np.intersect1d(wanted, member.numbers(role, ("train", "validation"))))
            if n:
                raise UsageError(
                    f"{n:,} of the {len(wanted):,} test rows are training or validation rows of member {k} "
                    f"({member.run}), so the ensemble has no test rows: give rows that no member has seen with --data "
                    "FILE, or train the members on one split"
                )


def answered_split(
    model: TrainedModel, run: RunDirectory, wanted: str | None = None, data_root: Path | None = None
) -> Answered:
    """A model on a split of its run: on test, else on validation, else on train. Raises what `rows_of_split` does."""
    if not isinstance(model, Ensemble):
        (network,) = model.members
        return answered(network, rows_of_split(network, run, wanted, data_root))
    runs = runs_of_networks(model, run.path)
    on_data = EnsembleOnData(model, runs, (wanted or "test",), data_root)
    chosen = wanted or on_data.splits[0]
    if chosen not in ("test", wanted):
        on_data = EnsembleOnData(model, runs, (chosen,), data_root)
    return on_data.answered(chosen)


def refuse_other_data(ensemble: Ensemble, runs: Sequence[Path]) -> None:
    """Raises UsageError where members were trained on other files: which rows they share is not known then."""
    first, *others = map(files_of, ensemble.networks)
    for k, other in enumerate(others, start=2):
        if other != first:
            raise UsageError(
                f"members 1 and {k} ({runs[0]}, {runs[k - 1]}) were trained on different files, so which rows no "
                "member has seen is not known: give rows with --data FILE"
            )


def files_of(member: Model) -> dict[str, object]:
    """The files of a member's rows, and what of them is read: a row has its number there."""
    data = member.config.data
    digests = {role: found for role, found in member.stored.facts.data.items() if role != ROW_INDEX}
    return {**digests, "sheet": data.sheet, "comment": data.comment}


def reading_of(member: Model) -> str:
    """What is the same for members that read the same rows in the same way and split them alike."""
    facts, split = member.stored.facts, member.config.data.split
    seed = split.seed if split.seed is not None or split.by == "hash" else member.config.seed
    read = [facts.schema, facts.config["data"], seed, str(member.w.dtype)]
    return json.dumps(read, sort_keys=True)


def data_of_member(
    member: Model, run: RunDirectory, data_root: Path | None, given: Mapping[str, InMemory]
) -> RunData:
    """The data that a member was trained on; `given` are the rows that Python gave. Raises what `run_data` does."""
    if not given:
        return run_data(member, run, member.w.dtype, data_root=data_root)
    kept = KeptSchema(member.schema, member.stored.facts.data)
    loaded = load_given(run.config, (), given)
    prepared = prepare_data(loaded, member.w.dtype, given=given, kept_schema=kept)
    return RunData.of(prepared, data_settings(loaded, given))


def on_data(ensemble: Ensemble, number: int, run: Path, data: RunData, needed: Sequence[str]) -> MemberOnData:
    """The member of that number, counted from 1, on the splits of its run that are needed."""
    member, splits, seen = ensemble.networks[number - 1], data.prepared.splits, {}
    for name in needed:
        if name in splits:
            rows = splits[name]
            outputs = member.outputs_of(rows.X)
            on_rows = OnRows(number, member, rows, seen_by(member.network, outputs, member.schema, rows))
            seen[name] = SplitOfMember(on_rows, ensemble.member_outputs(member, outputs))
    files = member.config.data
    own = {"validation": files.validation, "test": files.test}
    roles = {name: "train" if own.get(name) is None else name for name in splits}
    return MemberOnData(run, splits, seen, roles, data.sources)


def gathered_groups(every: Sequence[Rows], numbers: Array) -> Array | None:
    """The groups of rows with these numbers; each split numbers its own groups, which are in no other."""
    pieces, begin = [], 0
    for rows in every:
        if rows.groups is None:
            return None
        pieces.append((rows.row_index, rows.groups + begin))
        begin += int(rows.groups.max(initial=-1)) + 1
    return gathered(pieces, numbers)


def gathered(pieces: Sequence[tuple[Array, Array]], numbers: Array) -> Array:
    """Of pieces, each the numbers of its rows and what is had of them, those with these numbers, in ascending order.

    Rows that no piece has are 0.
    """
    for own, array in pieces:
        if len(own) == len(numbers) and np.array_equal(own, numbers):
            return array
    first = pieces[0][1]
    found = room_of(*(array for _, array in pieces)).empty((len(numbers), *first.shape[1:]), first.dtype)
    found[...] = 0
    for own, array in pieces:
        place = np.searchsorted(numbers, own)
        there = np.flatnonzero(place < len(numbers))
        there = there[numbers[place[there]] == own[there]]
        found[place[there]] = array[there]
    return found
