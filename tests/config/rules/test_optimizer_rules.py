"""Weight decay, warm-up, and what optimizer, mode and schedule ask of one another."""

from pathlib import Path

import numpy as np
import pytest

from bptrain.build.training import build_method, build_schedule
from bptrain.config import to_plain
from bptrain.parts.optimizers import Optimizer
from config.helpers import load, problems

HEAD = "data: {train: a.csv, target: y}\nnetwork: {sizes: [2, 3, 1]}\nloss: half_squared_error\n"
BATCH = HEAD + "training: {mode: batch}\n"


def test_weight_decay_and_warmup_are_put_around_the_parts(tmp_path: Path) -> None:
    text = HEAD + "optimizer: {learning_rate: 0.5, weight_decay: 0.25}\nschedule: {warmup: 2}\n"
    config = load(tmp_path, text).config
    rule = build_method(config)
    assert isinstance(rule, Optimizer)
    step, _ = rule.step(np.ones(2), (), np.array([1.0, 4.0]), 0.5, 1, np.nan)
    assert step.tolist() == [0.5 + 0.5 * 0.25 * 1.0, 0.5 + 0.5 * 0.25 * 4.0]
    assert [build_schedule(config)(s, 1, 4, 10) for s in (0, 3, 7, 8)] == [1 / 8, 4 / 8, 1.0, 1.0]
    plain = to_plain(config)
    assert plain["optimizer"] == {"name": "gradient_descent", "learning_rate": 0.5, "weight_decay": 0.25}
    assert plain["schedule"] == {"name": "constant", "warmup": 2.0}


def test_defaults(tmp_path: Path) -> None:
    def decay(optimizer: str) -> float | None:
        return load(tmp_path, HEAD + f"optimizer: {optimizer}\n").config.optimizer.weight_decay

    assert decay("adam") == decay("{name: adamw, weight_decay: 0}") == 0.0
    assert decay("adamw") == 0.01
    assert load(tmp_path, HEAD + "schedule: cosine\n").config.schedule.warmup == 0.0


@pytest.mark.parametrize(
    ("line", "code", "path", "words"),
    [
        (
            "optimizer: {name: adam, weight_decay: -0.1}",
            "out_of_range",
            "optimizer.weight_decay",
            "at least 0",
        ),
        ("optimizer: {name: adam, weight_decay: '0.1'}", "wrong_type", "optimizer.weight_decay", "a number"),
        ("optimizer: {name: adam, weight_decay: true}", "wrong_type", "optimizer.weight_decay", "a number"),
        ("optimizer: {name: adam, weight_decay: null}", "wrong_type", "optimizer.weight_decay", "a number"),
        ("optimizer: {name: adam, weight_decay: .inf}", "not_finite", "optimizer.weight_decay", "finite"),
        ("optimizer: {name: adam, weightdecay: 1}", "unknown_key", "optimizer.weightdecay", "weight_decay"),
        ("optimizer: {weight_decay: 0.1, mu: 0.9}", "unknown_key", "optimizer.mu", "weight_decay"),
        ("schedule: {name: cosine, warmup: -1}", "out_of_range", "schedule.warmup", "at least 0"),
        ("schedule: {name: cosine, warmup_epochs: 1}", "unknown_key", "schedule.warmup_epochs", "warmup"),
        ("schedule: {name: one_cycle, peak: 1}", "out_of_range", "schedule.peak", "less than 1"),
        ("schedule: {name: step, every: 2.5}", "wrong_type", "schedule.every", "whole number"),
        ("schedule: {name: step, every: 0}", "out_of_range", "schedule.every", "at least 1"),
    ],
)
def test_wrong_values(tmp_path: Path, line: str, code: str, path: str, words: str) -> None:
    (problem,) = problems(tmp_path, HEAD + line + "\n")
    assert (problem.code, problem.path, problem.line) == (code, path, 4)
    assert words in problem.message


def test_a_wrong_decay_and_a_wrong_option_are_both_told(tmp_path: Path) -> None:
    found = problems(tmp_path, HEAD + "optimizer: {name: adam, weight_decay: -1, beta1: 2}\n")
    assert {problem.path for problem in found} == {"optimizer.weight_decay", "optimizer.beta1"}


@pytest.mark.parametrize(
    "mode", ["", "training: {mode: sgd}\n", "training: {mode: minibatch, batch_size: 8}\n"]
)
@pytest.mark.parametrize("name", ["rprop", "quickprop"])
def test_rules_that_compare_gradients_want_all_rows(tmp_path: Path, name: str, mode: str) -> None:
    (problem,) = problems(tmp_path, HEAD + f"optimizer: {name}\n" + mode)
    assert (problem.path, problem.line) == ("optimizer", 4)
    assert f"{name} compares the gradients of successive updates" in problem.message
    assert "training.mode: batch" in problem.message
    assert "\n" not in problem.message
    assert problems(tmp_path, BATCH + f"optimizer: {name}\n") == []
    assert problems(tmp_path, HEAD + "optimizer: adam\n" + mode) == []


@pytest.mark.parametrize("schedule", ["cosine", "{warmup: 3}"])
def test_a_schedule_has_nothing_to_say_to_rprop(tmp_path: Path, schedule: str) -> None:
    (problem,) = problems(tmp_path, BATCH + f"optimizer: rprop\nschedule: {schedule}\n")
    assert (problem.path, problem.line) == ("schedule", 6)
    assert "rprop adapts its step sizes itself" in problem.message
    assert problems(tmp_path, BATCH + f"optimizer: quickprop\nschedule: {schedule}\n") == []
    assert problems(tmp_path, BATCH + "optimizer: rprop\nschedule: constant\n") == []


def test_rprop_has_bounds_that_fit(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, BATCH + "optimizer: {name: rprop, step_max: 1e-9}\n")
    assert problem.code == "part_options"
    assert "step_min 1e-06 is above step_max 1e-09" in problem.message
    (problem,) = problems(tmp_path, BATCH + "optimizer: {name: rprop, variant: both}\n")
    assert problem.path == "optimizer.variant"
    assert "minus, plus" in problem.message
