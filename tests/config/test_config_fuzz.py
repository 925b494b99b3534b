"""Whatever is written, a config is loaded or refused with a UsageError, never anything else."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bptrain.config import dump_yaml, to_plain, validate
from bptrain.config.document import load_text
from bptrain.config.overrides import override
from bptrain.errors import UsageError
from config.helpers import GOOD
from config.mutants import mutant

FULL = dump_yaml(to_plain(validate(load_text(GOOD, "f"))))
KEYS = [
    "format", "seed", "task", "data", "data.train", "data.target", "data.features", "data.exclude",
    "data.columns", "data.split", "data.split.stratify", "data.split.test", "data.scale",
    "data.scale_target", "data.missing", "data.validation", "network", "network.sizes",
    "network.sizes.1", "network.activations", "network.activations.0", "network.bias",
    "network.initializer", "network.dtype", "loss", "loss.reduction", "loss.label_smoothing", "silence", "optimizer",
    "optimizer.learning_rate", "optimizer.beta1", "optimizer.name", "schedule", "training",
    "training.mode", "training.batch_size", "training.threads", "metrics", "checkpoint",
    "checkpoint.every", "checkpoint.keep", "x", "lr",
]  # fmt: skip
WORDS = [
    "auto",
    "adam",
    "softmax",
    "sigmoid",
    "minmax",
    "relu",
    "none",
    "name",
    "all",
    "a.csv",
    "no",
    "",
    "\x00",
]
SIGNS = [*"[]{}:-,&*!|>'\"#%@`\t\n ?~", "\n  ", ": ", "<<: ", "---\n"]
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(0, 4),
    st.floats(),
    st.sampled_from(WORDS),
    st.text(max_size=5),
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*WORDS, "low", "to", "slope", "epochs", "inputs"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


def refused_or_valid(text: str, overrides: Any = ()) -> None:
    try:
        config = validate(override(load_text(text, "f.yaml"), overrides))
    except UsageError as error:
        found = error.problems
    else:
        assert validate(load_text(dump_yaml(to_plain(config)), "again")) == config
        return
    assert found
    for problem in found[:50]:
        assert problem.file in ("f.yaml", "--set", "overrides")
        assert problem.code
        assert "\n" not in str(problem)


def refused_or_read(number: int) -> None:
    """The config that has this number, `mutant(Random(number))`."""
    refused_or_valid(mutant(Random(number)))


@pytest.mark.parametrize("quarter", range(4))
@pytest.mark.slow
def test_any_accident(quarter: int) -> None:
    """8,000 configs in which something has gone wrong; `dev/fuzz_configs.py` goes on as long as one likes."""
    for number in range(2_000 * quarter, 2_000 * (quarter + 1)):
        refused_or_read(number)


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(st.sampled_from(KEYS), values, min_size=1, max_size=3))
def test_any_values(overrides: dict[str, Any]) -> None:
    refused_or_valid(FULL, overrides)


@settings(deadline=None, max_examples=300)
@given(st.integers(0, len(FULL)), st.integers(0, 12), st.text(max_size=4) | st.sampled_from(SIGNS))
def test_any_slip_of_the_pen(at: int, cut: int, insert: str) -> None:
    refused_or_valid(FULL[:at] + insert + FULL[at + cut :])


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=40), st.sampled_from(KEYS))
def test_any_text(text: str, key: str) -> None:
    refused_or_valid(text)
    refused_or_valid(FULL, [text, f"{key}={text}"])
