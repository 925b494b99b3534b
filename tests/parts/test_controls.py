"""What the controls count, on figures alone."""

import math

import pytest

from bptrain.parts.controls import EarlyStopping, Monitor, Plateau, Watch, reduced, watched
from bptrain.parts.schedules import schedules

NAN = math.nan


def waits(stopping: EarlyStopping, values: list[float]) -> list[int]:
    watch, counted = Watch(), []
    for value in values:
        watch = watched(stopping, watch, value)
        counted.append(watch.wait)
    return counted


def test_patience_counts_epochs_since_the_last_improvement() -> None:
    assert waits(EarlyStopping(), [3.0, 2.0, 2.0, 2.5, 1.9, 1.9, 1.95]) == [0, 0, 1, 2, 0, 1, 2]


def test_min_delta_is_held_against_the_best_that_counted() -> None:
    """Small steps add up to an improvement, since the best so far only moves with one."""
    stopping = EarlyStopping(min_delta=0.25)
    assert waits(stopping, [1.0, 0.875, 0.75, 0.625, 0.5, 0.25]) == [0, 1, 2, 0, 1, 0]


def test_higher_is_better_where_the_metric_says_so() -> None:
    stopping = EarlyStopping(Monitor("accuracy", higher=True), min_delta=0.125)
    assert waits(stopping, [0.5, 0.625, 0.75, 0.5, 0.876]) == [0, 1, 0, 1, 0]


def test_nan_is_no_improvement_and_every_number_is_one_over_it() -> None:
    assert waits(EarlyStopping(), [NAN, NAN, 5.0, NAN, 4.0]) == [1, 2, 0, 1, 0]
    for higher in (False, True):
        assert Monitor("m", higher).better(1.0, NAN)
        assert not Monitor("m", higher).better(NAN, 1.0)
        assert not Monitor("m", higher).better(NAN, NAN)


def factors(plateau: Plateau, values: list[float]) -> list[float]:
    watch, factor, path = Watch(), 1.0, []
    for value in values:
        watch, factor = reduced(plateau, watch, factor, value)
        path.append(factor)
    return path


def test_plateau_by_hand() -> None:
    """The second epoch without an improvement lowers the rate, then one epoch is not counted, down to the floor."""
    plateau = Plateau(factor=0.5, patience=2, cooldown=1, floor=0.3)
    values = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.9, 0.9, 0.9]
    #         best  1    2   rest  1    2  rest  1    2
    assert factors(plateau, values) == [1.0, 1.0, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3, 0.3]


VALUES = [
    1.0, 0.9, 0.85, 0.86, 0.84, 0.845, 0.842, 0.839, 0.8395, 0.83, 0.83, 0.83, 0.82,
    0.825, 0.9, 0.81, 0.82, 0.83, 0.84, 0.85, 0.86, 0.7, 0.7, 0.7, 0.7,
]  # fmt: skip
# torch.optim.lr_scheduler.ReduceLROnPlateau of PyTorch 2.13: factor=0.5, patience=1 (one less than here),
# threshold=0.005, threshold_mode="abs", min_lr=0.1, eps=0, a learning rate of 1; with mode="max" the same for −VALUES.
PYTORCH = {
    2: [1.0] * 6 + [0.5] * 5 + [0.25] * 6 + [0.125] * 6 + [0.1] * 2,
    0: [1.0] * 6 + [0.5] * 2 + [0.25] * 3 + [0.125] * 3 + [0.1] * 11,
}


@pytest.mark.parametrize("higher", [False, True])
@pytest.mark.parametrize("cooldown", PYTORCH)
def test_plateau_is_that_of_pytorch(cooldown: int, higher: bool) -> None:
    plateau = Plateau(Monitor("m", higher), 0.5, patience=2, min_delta=0.005, cooldown=cooldown, floor=0.1)
    values = [-value for value in VALUES] if higher else VALUES
    assert factors(plateau, values) == PYTORCH[cooldown]


def test_the_schedule_has_the_options_of_the_control_and_is_one_by_itself() -> None:
    defaults = {name: option.default for name, option in schedules.options("reduce_on_plateau").items()}
    assert defaults == {**Plateau()._asdict(), "monitor": "loss"}
    assert schedules.get("reduce_on_plateau")(factor=0.5)(7, 2, 5, 3) == 1.0
