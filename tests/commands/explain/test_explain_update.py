"""`explain` shows decay, schedule and warm-up in the lines of the update."""

from pathlib import Path

from command import bptrain


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
