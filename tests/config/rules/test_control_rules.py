"""Controls in the config: their places, their defaults, and what is wrong with them, at its line."""

from pathlib import Path

import pytest

from bptrain.build.setup import open_config
from bptrain.config.resolved import to_plain
from bptrain.errors import DataError, UsageError
from config.helpers import GOOD, load, problems

STOP = "training:\n  early_stopping: "
SPLIT = GOOD.replace("target: species", "target: species\n  split: {validation: 0}")
PLATEAU = "schedule: {name: reduce_on_plateau, "

# (config, code, line, path, suggestion)
BAD: list[tuple[str, str, int, str, str | None]] = [
    (GOOD + "metrics: [accuracy]\n" + STOP + "{monitor: acuracy}\n", "wrong_choice", 11,
     "training.early_stopping.monitor", "accuracy"),
    (GOOD + "metrics: [accuracy]\n" + STOP + "{monitor: error_rate}\n", "wrong_choice", 11,
     "training.early_stopping.monitor", None),
    (GOOD + "metrics: [accuracy]\n" + STOP + "{monitor: val_loss}\n", "wrong_choice", 11,
     "training.early_stopping.monitor", "loss"),
    (GOOD + "metrics: [confusion_matrix]\n" + STOP + "{monitor: confusion_matrix}\n", "wrong_choice", 11,
     "training.early_stopping.monitor", None),
    (SPLIT + STOP + "{}\n", "contradiction", 11, "training.early_stopping", None),
    (GOOD + STOP + "{patience: 0}\n", "out_of_range", 10, "training.early_stopping.patience", None),
    (GOOD + STOP + "{min_delta: -1}\n", "out_of_range", 10, "training.early_stopping.min_delta", None),
    (GOOD + STOP + "{restore_best_weights: true}\n", "unknown_key", 10,
     "training.early_stopping.restore_best_weights", "restore_best"),
    (GOOD + STOP + "true\n", "wrong_type", 10, "training.early_stopping", None),
    (GOOD + "training: {max_time: 0}\n", "out_of_range", 9, "training.max_time", None),
    (GOOD + "training: {time_limit: 5}\n", "unknown_key", 9, "training.time_limit", "max_time"),
    (GOOD + "training: {stop_at: {gradient_norm: 0}}\n", "out_of_range", 9, "training.stop_at.gradient_norm",
     None),
    (GOOD + "training: {stop_at: {accuracy: 1}}\n", "unknown_key", 9, "training.stop_at.accuracy", None),
    (GOOD + "training: {average: {decay: 1}}\n", "out_of_range", 9, "training.average.decay", None),
    (GOOD + PLATEAU + "factor: 1}\n", "out_of_range", 9, "schedule.factor", None),
    (GOOD + "metrics: accuracy\n" + PLATEAU + "monitor: rmse}\n", "wrong_choice", 10, "schedule.monitor", None),
    (SPLIT + "metrics: accuracy\n" + PLATEAU + "monitor: accuracy}\n", "contradiction", 11,
     "schedule.monitor", "loss"),
    (GOOD + "schedule: ReduceLROnPlateau\n", "wrong_choice", 9, "schedule", "reduce_on_plateau"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "line", "path", "suggestion"), BAD)
def test_a_wrong_control_is_told_where(
    text: str, code: str, line: int, path: str, suggestion: str | None, tmp_path: Path
) -> None:
    (problem,) = problems(tmp_path, text)
    assert (problem.code, problem.line, problem.path, problem.suggestion) == (code, line, path, suggestion)


def test_a_wrong_monitor_lists_those_that_can_be(tmp_path: Path) -> None:
    text = (
        GOOD + "metrics: [accuracy, confusion_matrix, error_rate]\n" + STOP + "{monitor: confusion_matrix}\n"
    )
    (problem,) = problems(tmp_path, text)
    assert problem.message == (
        "no value of confusion_matrix is better than another; allowed: loss, accuracy, error_rate"
    )


def test_defaults(tmp_path: Path) -> None:
    training = load(tmp_path, GOOD).config.training
    assert (training.early_stopping, training.max_time, training.average) == (None, None, None)
    assert (training.stop_at.loss, training.stop_at.gradient_norm) == (None, None)
    text = GOOD + "training: {early_stopping: {}, average: {}, stop_at: null}\n"
    training = load(tmp_path, text).config.training
    assert training.early_stopping is not None
    assert training.average is not None
    stopping = training.early_stopping
    assert (stopping.monitor, stopping.patience, stopping.min_delta, stopping.restore_best) == (
        "loss", 10, 0.0, True,
    )  # fmt: skip
    assert training.average.decay == 0.999


def test_a_plateau_on_the_training_loss_needs_no_validation_rows(tmp_path: Path) -> None:
    assert problems(tmp_path, SPLIT + PLATEAU + "patience: 3}\n") == []


def test_the_resolved_config_keeps_the_controls(tmp_path: Path) -> None:
    text = GOOD + PLATEAU + "patience: 3}\n" + STOP + "{patience: 2}\n  stop_at: {loss: 0.5}\n"
    plain = to_plain(load(tmp_path, text).config)
    assert plain["training"]["early_stopping"] == {
        "monitor": "loss", "patience": 2, "min_delta": 0.0, "restore_best": True,
    }  # fmt: skip
    assert plain["training"]["stop_at"] == {"loss": 0.5, "gradient_norm": None}
    assert plain["schedule"]["patience"] == 3


def test_a_metric_that_auto_does_not_stand_for(iris: Path) -> None:
    """Only the data tell what `metrics: auto` is."""
    with pytest.raises(
        UsageError, match="rmse is not among the metrics of this config: loss, accuracy"
    ) as caught:
        open_config(iris, {"training.early_stopping": {"monitor": "rmse"}})
    assert caught.value.problems[0].path == "training.early_stopping.monitor"
    assert open_config(iris, {"training.early_stopping": {"monitor": "accuracy"}}).controls.early_stopping


def test_a_share_that_comes_to_no_row(iris: Path) -> None:
    overrides = {"training.early_stopping": {}, "data.split": {"validation": 0.001, "stratify": False}}
    with pytest.raises(DataError, match="no validation rows to watch"):
        open_config(iris, overrides)
