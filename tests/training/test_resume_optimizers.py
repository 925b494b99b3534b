"""Going on with runs whose optimizer remembers more than one number a weight, and with schedules of every span."""

from pathlib import Path

import pytest

from bptrain.commands.fit.fit import Done, Started, fit_events
from bptrain.errors import CheckpointError
from bptrain.store.run_directory import RunDirectory

RULES: dict[str, dict[str, object]] = {
    "a scalar slot": {"optimizer": "nadam"},
    "a scalar slot and the loss": {
        "optimizer": {"name": "rprop", "variant": "plus"},
        "training.mode": "batch",
    },
    "decay and warm-up": {
        "optimizer": {"name": "adamw", "weight_decay": 0.1},
        "schedule": {"name": "one_cycle", "warmup": 1.5},
    },
}


def finish(config: Path, overrides: dict[str, object], out: Path, resume: str | None = None) -> list[str]:
    """Trains to the end; the names of the warnings at its start."""
    events = [*fit_events(config, overrides, out, resume)]
    assert isinstance(events[-1], Done)
    assert isinstance(events[0], Started)
    return [name for name, _ in events[0].warnings]


@pytest.mark.parametrize("name", RULES)
def test_interrupted_and_whole_runs_are_the_same(name: str, iris: Path) -> None:
    overrides = {**RULES[name], "checkpoint.every": {"epochs": 1}}
    whole, cut = iris.parent / "whole", iris.parent / "cut"
    finish(iris, overrides, whole)
    events = fit_events(iris, overrides, cut)
    for _ in range(4):
        next(events)
    events.close()
    finish(iris, overrides, cut, resume=str(cut))
    files = [RunDirectory(out).checkpoints()[-1].read_bytes() for out in (whole, cut)]
    assert files[0] == files[1]


def test_another_weight_decay_or_warmup_is_another_run(iris: Path) -> None:
    out = iris.parent / "run"
    finish(iris, {}, out)
    with pytest.raises(CheckpointError, match=r"optimizer\.weight_decay: 0\.0 -> 0\.1"):
        finish(iris, {"optimizer.weight_decay": 0.1}, out, resume=str(out))
    with pytest.raises(CheckpointError, match=r"schedule\.warmup: 0\.0 -> 2\.0"):
        finish(iris, {"schedule.warmup": 2}, out, resume=str(out))


@pytest.mark.parametrize(
    ("schedule", "warned"),
    [
        ({"name": "one_cycle"}, ["schedule_span"]),
        ({"name": "polynomial", "warmup": 1}, ["schedule_span"]),
        ({"name": "cosine_restarts", "period": 2, "warmup": 1}, []),
        ({"name": "step", "every": 2}, []),
        ({"name": "constant", "warmup": 3}, []),
    ],
)
def test_more_epochs_jump_only_where_a_schedule_spans_them(
    schedule: dict[str, object], warned: list[str], iris: Path
) -> None:
    out = iris.parent / "run"
    finish(iris, {"schedule": schedule}, out)
    assert finish(iris, {"schedule": schedule, "training.epochs": 8}, out, resume=str(out)) == warned
