"""An ensemble of runs that were trained by themselves: they are copied, and answer together."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bptrain.commands.ensemble.assembly import EnsembleSummary, assemble, write_ensemble
from bptrain.errors import CheckpointError, UsageError
from bptrain.model.ensemble import difference_between
from bptrain.model.load import load_run
from bptrain.store.atomic import storage
from bptrain.store.chosen_run import find_run
from bptrain.store.new_groups import group_at, refuse_what_is_there, removed_on_failure
from bptrain.store.provenance import now
from bptrain.store.run_directory import FILES, RunDirectory, locked
from bptrain.store.run_group import GroupRecord, RunGroup, mean_and_sd, member_directory
from bptrain.store.run_places import GROUP


def ensemble_of_runs(
    paths: Sequence[Path], out: Path, overwrite: bool = False, data_root: Path | None = None
) -> EnsembleSummary:
    """Copies finished runs to out/members/001 …, and makes one model of them in `out`.

    Nothing is written before it is sure that they make one. Raises UsageError where they do not answer the same
    question, or `out` is in use; CheckpointError for a run that is not finished; DataError, StorageError.
    """
    if len(paths) < 2:
        raise UsageError("an ensemble needs two runs or more")
    runs = [finished_run(path) for path in paths]
    places = [os.path.realpath(run.path) for run in runs]
    twice = next((run.path for k, run in enumerate(runs) if places[k] in places[:k]), None)
    if twice is not None:
        raise UsageError(f"{twice} is named twice, and a member counts once")
    within = os.path.join(os.path.realpath(out), "")
    inside = next(
        (run.path for run, place in zip(runs, places, strict=True) if place.startswith(within)), None
    )
    if os.path.realpath(out) in places:
        raise UsageError(f"--out {out} is one of the runs: give another directory")
    if inside is not None:
        raise UsageError(f"--out {out} holds {inside}, which is one of the runs: give another directory")
    refuse_what_is_there(out, overwrite)
    models = [load_run(run, "best") for run in runs]
    for run, model in zip(runs[1:], models[1:], strict=True):
        difference = difference_between(models[0], model)
        if difference is not None:
            message = f"{runs[0].path} and {run.path} cannot answer together, since their {difference}"
            raise UsageError(message)
    names = tuple(member_directory(k) for k in range(1, len(runs) + 1))
    settings = models[0].stored.facts.config
    del models
    made = assemble(out, [run.path for run in runs], data_root=data_root)
    group = group_at(out, names, overwrite)
    record = GroupRecord("ensemble", len(runs), 1, names, settings, now())
    with locked(RunDirectory(group.path)), removed_on_failure(group, names):
        group.write(record)
        results = [copied(run, group, name) for run, name in zip(runs, names, strict=True)]
        done = write_ensemble(group.path, made, results, record.started)
        mean, sd = mean_and_sd(results)
        group.write(record._replace(status="finished", mean=mean, sd=sd))
    return done


def finished_run(path: Path) -> RunDirectory:
    """A run of one network that has ended. Raises CheckpointError for any other."""
    if (path / GROUP).is_file():
        what = RunGroup(path).read()
        where = path / Path(what.runs[0]).parent / "*"
        raise CheckpointError(f"{path} holds several runs ({what.kind}): name them one by one, as {where}")
    run = find_run(path)
    record = run.read_record()
    if record.get("status") != "finished" or not isinstance(record.get("result"), dict):
        status = record.get("status")
        cure = f"`bptrain fit {run.config} --resume {path}` goes on"
        if status == "diverged":
            cure = "train it again, with a smaller optimizer.learning_rate or with scaled data"
        raise CheckpointError(f"{path} is not finished, but {status}: {cure}")
    return run


def copied(run: RunDirectory, group: RunGroup, name: str) -> Mapping[str, Any]:
    """Copies a run, with its newest checkpoint alone; the fields of fit's JSON of the copy. Raises StorageError."""
    target = group.run(name)
    with storage(target.path, "copy a run to"):
        (target.path / "checkpoints").mkdir(parents=True, exist_ok=True)
        newest = run.checkpoints()[-1:]
        for file in (*newest, *(run.path / own for own in FILES if own != run.record.name)):
            if file.exists():
                shutil.copyfile(file, target.path / file.relative_to(run.path))
    record = run.read_record()
    if isinstance(record.get("paths"), dict):
        record["paths"]["run"] = os.path.realpath(target.path)
    record["result"] = {**record["result"], "run": str(target.path)}
    target.write_record(record)
    return dict(record["result"])
