"""Schedules against values worked out by hand, and against PyTorch's (torch 2.13, written down here)."""

import math

import pytest

from bptrain.parts.schedules import Schedule, schedules, spans_all_epochs, with_warmup


def make(name: str, **options: float) -> Schedule:
    return schedules.get(name)(**options)


def course(schedule: Schedule, steps_per_epoch: int, epochs: int) -> list[float]:
    """The factor of every update."""
    return [
        schedule(s, s // steps_per_epoch + 1, steps_per_epoch, epochs)
        for s in range(steps_per_epoch * epochs)
    ]


def test_known_courses() -> None:
    """Values that anyone can work out: two updates in an epoch."""
    assert course(make("constant"), 2, 3) == [1.0] * 6
    assert course(make("step", every=2, gamma=0.5), 2, 5) == [1.0] * 4 + [0.5] * 4 + [0.25] * 2
    assert course(make("exponential", gamma=0.25), 2, 2) == [1.0, 0.5, 0.25, 0.125]
    assert course(make("inverse_time", decay=2.0), 2, 2) == [1.0, 1 / 2, 1 / 3, 1 / 4]
    assert course(make("polynomial", floor=0.5), 2, 2) == [1.0, 0.875, 0.75, 0.625]
    assert course(make("polynomial", power=3.0), 2, 1) == [1.0, 0.125]
    down = [1.0, 0.6 + 0.4 * 0.5**0.5, 0.6, 0.6 - 0.4 * 0.5**0.5]
    assert course(make("cosine", floor=0.2), 2, 2) == pytest.approx(down)
    assert make("cosine", floor=0.2)(100, 10, 10, 10) == pytest.approx(0.2)
    cycle = [1.0, 0.5 + 0.5**1.5, 0.5, 0.5 - 0.5**1.5]
    assert course(make("cosine_restarts", period=2), 2, 4) == pytest.approx(cycle * 2)


# One update per epoch, as PyTorch's schedulers count; CosineAnnealingLR has eta_min 0.1, the others as named.
TORCH = {
    "StepLR": (make("step", every=3, gamma=0.5), [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25]),
    "ExponentialLR": (make("exponential", gamma=0.9), [1.0, 0.9, 0.81, 0.7290000000000001, 0.6561000000000001]),
    "PolynomialLR, power 2": (
        make("polynomial", power=2.0),
        [1.0, 0.81, 0.6400000000000001, 0.48999999999999994, 0.36000000000000004, 0.25000000000000006,
         0.16000000000000006, 0.09000000000000007, 0.039999999999999994, 0.009999999999999998],
    ),
    "CosineAnnealingLR": (
        make("cosine", floor=0.1),
        [1.0, 0.9779754323328191, 0.9140576474687263, 0.8145033635316129, 0.6890576474687263, 0.55,
         0.41094235253127376, 0.2854966364683872, 0.18594235253127372, 0.12202456766718092],
    ),
    "CosineAnnealingWarmRestarts, T_0 2, T_mult 2, eta_min 0.1": (
        make("cosine_restarts", period=2, t_mult=2, floor=0.1),
        [1.0, 0.55, 1.0, 0.8681980515339464, 0.55, 0.23180194846605365, 1.0, 0.9657457896300791,
         0.8681980515339464, 0.7222075445642904, 0.55, 0.3777924554357096, 0.23180194846605365,
         0.13425421036992097, 1.0],
    ),
    "OneCycleLR": (
        make("one_cycle"),
        [0.040000000000000036, 0.52, 1.0, 0.9504846320134737, 0.8117456539497631, 0.6112620219362893,
         0.38874197806371075, 0.18825834605023697, 0.049519367986526286, 4e-06],
    ),
    "OneCycleLR, pct_start 0.4, div_factor 10, final_div_factor 50": (
        make("one_cycle", peak=0.4, start=0.1, floor=0.002),
        [0.09999999999999998, 0.24522329276841648, 0.5871607054625493, 0.905113229228377, 0.998101154347781,
         0.933146676488435, 0.7872146417391722, 0.5876504406557983, 0.3718492964938423, 0.18024898276641685,
         0.0487524142687118, 0.002],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TORCH)
def test_values_of_pytorch(name: str) -> None:
    schedule, expected = TORCH[name]
    assert course(schedule, 1, len(expected)) == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_cycles_that_grow_count_updates() -> None:
    """With 5 updates in an epoch and cycles of 3, 6 and 12 epochs a cycle begins at 0, 15, 45 and 105."""
    values = course(make("cosine_restarts", period=3, t_mult=2), 5, 25)
    assert [s for s, value in enumerate(values) if value == 1.0] == [0, 15, 45, 105]
    assert values[30] == pytest.approx(0.5)


@pytest.mark.parametrize("name", list(schedules))
def test_every_schedule_keeps_between_0_and_1(name: str) -> None:
    for steps, epochs in ((1, 1), (1, 2), (7, 3), (3, 50)):
        values = course(make(name), steps, epochs)
        assert all(isinstance(value, float) and 0 <= value <= 1 for value in values)


def test_warmup_rises_in_a_straight_line_and_leaves_the_rest() -> None:
    own = make("cosine")
    values = course(with_warmup(own, 1.5), 4, 5)
    rise = [(s + 1) / 6 for s in range(6)] + [1.0] * 14
    assert values == pytest.approx([a * b for a, b in zip(rise, course(own, 4, 5), strict=True)], rel=1e-15)
    assert with_warmup(own, 0.0) is own
    assert course(with_warmup(own, 1e-3), 4, 5) == course(own, 4, 5)


def test_which_schedules_span_all_epochs() -> None:
    spanning = {name for name in schedules if spans_all_epochs(make(name), 9, 12)}
    assert spanning == {"polynomial", "cosine", "one_cycle"}
    assert spans_all_epochs(with_warmup(make("cosine"), 2.5), 2, 1)
    assert not spans_all_epochs(with_warmup(make("step"), 2.5), 2, 1)
    assert not spans_all_epochs(make("cosine", floor=1.0), 9, 12)  # it is constant


def test_one_update_in_all() -> None:
    assert course(make("one_cycle"), 1, 1) == [4e-6]
    extreme = course(make("one_cycle", peak=math.nextafter(1, 0)), 1, 3)
    assert extreme[:2] == pytest.approx([0.04, 0.52])
    assert 0 <= extreme[2] <= 1
