"""Which run is meant: one that is named, or the newest."""

from pathlib import Path

from bptrain.errors import CheckpointError
from bptrain.store.run_directory import RUNS, RunDirectory, places_with, run_directories
from bptrain.store.run_places import GROUP


def find_run(path: Path | None) -> RunDirectory:
    """The run at `path`, or the newest under runs/. Raises CheckpointError when there is none."""
    if path is not None:
        if not path.is_dir():
            raise CheckpointError(f"no run at {path}: there is no such directory")
        run = RunDirectory(path)
        run.read_record()
        return run
    found = newest(run_directories(RUNS))
    if found is None:
        raise CheckpointError(f"no run under runs/ here{_what_to_do()}")
    return found


def find_finished_run() -> RunDirectory:
    """The newest run under runs/ that came to its end and did not diverge. Raises CheckpointError for none."""
    found = newest([run for run in run_directories(RUNS) if _status(run) == "finished"])
    if found is None:
        raise CheckpointError(f"no finished run under runs/ here{_what_to_do(' first')}")
    return found


def _what_to_do(first: str = "") -> str:
    """The rest of the sentence that there is no run: groups of runs, of which none is taken by itself, are told of."""
    group = next(places_with(GROUP, RUNS), None)
    if group is not None:
        return f", outside of groups; one in a group must be named{first}: `bptrain runs {group}` lists them"
    return f": train one with `bptrain fit CONFIG`, or name a run{first}"


def newest(runs: list[RunDirectory]) -> RunDirectory | None:
    """The run that was started last."""
    return max(runs, key=lambda run: (_started(run), run.path.name), default=None)


def _started(run: RunDirectory) -> str:
    return _said(run, "started")


def _status(run: RunDirectory) -> str:
    return _said(run, "status")


def _said(run: RunDirectory, field: str) -> str:
    try:
        return str(run.read_record().get(field, ""))
    except CheckpointError:  # a damaged run is not the newest; named outright, it says what is wrong
        return ""
