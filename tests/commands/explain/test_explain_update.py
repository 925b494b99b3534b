"""`explain` shows decay, schedule and warm-up in the lines of the update."""

import re
from pathlib import Path

import pytest

from command import bptrain


def page(config: Path, *settings: str) -> str:
    """The page of a config with some settings, the shapes left out and each line in one."""
    shown = bptrain("explain", config, *(word for setting in settings for word in ("--set", setting)))
    assert shown.code == 0, shown.err
    return re.sub(r"\s*\n\s*", "\n", shown.out)


def test_decay_and_warmup_are_lines_of_the_update(iris: Path) -> None:
    plain = bptrain("explain", iris)
    assert "W_2 ← W_2 − α_2 ∘ ∂E/∂W_2" in plain.out
    assert "λ" not in plain.out
    options = ["--set", "optimizer.weight_decay=0.01", "--set", "schedule={name: step, warmup: 2.5}"]
    shown = bptrain("explain", iris, *options)
    assert shown.code == 0
    assert "W_2 ← W_2 − α_2 λ W_2 − α_2 ∘ ∂E/∂W_2,  α_2 = 0.1" in shown.out
    assert "b_1 ← b_1 − α_1 λ b_1 − α_1 ∘ ∂E/∂b_1" in shown.out
    assert "λ = 0.01 (optimizer.weight_decay)" in shown.out
    assert "every α is multiplied by the schedule step: gamma^⌊e / every⌋" in shown.out
    assert "every α rises in a straight line over the first 2.5 epochs" in shown.out


ONE_BATCH = ["training.mode=batch", "optimizer=lbfgs training.mode=batch", "training.batch_size=1000"]


@pytest.mark.parametrize("settings", ONE_BATCH)
@pytest.mark.parametrize("shuffle", ["true", "false"])
def test_rows_in_one_batch_have_no_order(settings: str, shuffle: str, iris: Path) -> None:
    cleared = [] if "batch_size" in settings else ["training.batch_size=null"]
    shown = page(iris, *settings.split(), *cleared, f"training.shuffle={shuffle}")
    assert re.search(r"^at most \d+ epochs \(training.epochs\)$", shown, re.MULTILINE)
    assert "training.shuffle" not in shown


def test_rows_in_several_batches_are_shuffled_or_not(iris: Path) -> None:
    assert "epochs, the rows shuffled in each (training.epochs, training.shuffle)" in page(iris)
    assert "epochs, the rows in the order of the data" in page(iris, "training.shuffle=false")


def test_the_loss_that_ends_training_says_of_which_rows(iris: Path) -> None:
    """`Controls`: the loss is at most the bound, without the penalty."""
    said = "training ends after an epoch with a mean loss of at most 0.3 over the {} rows{} (training.stop_at.loss)"
    goal = "training.stop_at.loss=0.3"
    assert said.format("validation", "") in page(iris, goal, "data.split.validation=0.2")
    assert said.format("training", "") in page(iris, goal, "data.split.validation=0")
    penalized = page(iris, goal, "data.split.validation=0", "training.penalty.l2=0.1")
    assert said.format("training", ", without the penalty") in penalized


def test_the_loss_that_ends_training_where_the_data_cannot_be_read(iris: Path) -> None:
    shown = page(
        iris,
        "training.stop_at.loss=0.3",
        "data.train=absent.csv",
        "network.sizes=[4, 3]",
        "task=classification",
    )
    assert "at most 0.3 over the validation rows, or the training rows where there are none (" in shown


def test_the_gradient_that_ends_training_is_that_of_the_objective(iris: Path) -> None:
    """`Controls`: it is below the bound; nothing is clipped or added to it but the penalty, which is within E."""
    goal = "training.stop_at.gradient_norm=0.5"
    said = "training ends after an epoch where ‖∂E/∂w‖ over all training rows is below 0.5"
    assert f"{said} (training.stop_at.gradient_norm)" in page(iris, goal)
    assert f"{said}, at w̄ (training.stop_at.gradient_norm)" in page(
        iris, goal, "training.average={decay: 0.9}"
    )


def test_which_weights_are_the_final_ones(iris: Path) -> None:
    stopping = "training.early_stopping={monitor: accuracy, restore_best: %s}"
    split = ["data.split.validation=0.2", "metrics=[accuracy]"]
    best = "the final weights are those of the epoch with the best accuracy of the validation rows"
    assert f"{best} (training.early_stopping.restore_best: true)" in page(iris, stopping % "true", *split)
    last = "the final weights are the last ones (training.early_stopping.restore_best: false)"
    assert last in page(iris, stopping % "false", *split)


def test_accumulated_batches_are_told_where_there_are_several(iris: Path) -> None:
    assert "training.accumulate" not in page(iris)
    shown = page(iris, "training.batch_size=16", "training.accumulate=2")
    assert "one update after every 32 instances" in shown
    said = "32 is 2 batches of 16, whose gradients are added up (training.accumulate, training.batch_size)"
    assert said in shown
