"""The seam between the trainer and its rows: whoever hands out rows by order can be trained on."""

from pathlib import Path

import numpy as np
import pytest

from bptrain.build.network import initial_weights
from bptrain.build.setup import Setup, open_config
from bptrain.build.training import build_plan
from bptrain.engines.base import initial_optimizer_state
from bptrain.engines.choice import EngineChoice, make_engine
from bptrain.parts.types import Array
from bptrain.training.events import Finished
from bptrain.training.rows import RowsOfArrays, RowSource, TrainingRows
from bptrain.training.state import State
from bptrain.training.trainer import Job, train

CONFIG = """
data: {train: rows.csv, target: y, weight: w, split: {validation: 0, test: 0}}
network: {sizes: [2, 5, 1], dropout: 0.2}
loss: half_squared_error
training: {epochs: 3, batch_size: 8}
"""


class RowByRow:
    """Rows in a source that keeps no array of them."""

    def __init__(self, rows: TrainingRows) -> None:
        assert rows.sample_weight is not None
        self._rows = list(zip(rows.X.tolist(), rows.T.tolist(), rows.sample_weight.tolist(), strict=True))
        self.asked = 0

    @property
    def sample_weight(self) -> Array:
        return np.array([weight for _, _, weight in self._rows], np.float32)

    def take(self, order: Array | slice) -> TrainingRows:
        self.asked += 1
        numbers = np.arange(len(self._rows))[order]
        columns = zip(*(self._rows[n] for n in numbers), strict=True)
        return TrainingRows(*(np.array(column, np.float32) for column in columns))


@pytest.fixture
def config(workplace: Path) -> Path:
    rng = np.random.default_rng(0)
    lines = [f"{a},{b},{a - b},{w}" for a, b, w in rng.random((50, 3))]
    (workplace / "rows.csv").write_text("\n".join(["a,b,y,w", *lines]))
    file = workplace / "c.yaml"
    file.write_text(CONFIG)
    return file


def trained(setup: Setup, source: RowSource) -> Array:
    config, network = setup.loaded.config, setup.network
    plan = build_plan(config, network, 50)
    engine, _ = make_engine(EngineChoice("numpy", ""), "numpy", plan, np.float32)
    w = initial_weights(config, network, np.float32)
    schema, shuffle = setup.prepared.schema, config.training.shuffle
    job = Job(plan, engine, schema, source, None, {}, config.seed, shuffle, setup.controls)
    *_, last = train(job, State(initial_optimizer_state(w, plan.method)))
    assert isinstance(last, Finished)
    return last.state.optimizer_state.w


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"training.shuffle": False},
        {"training.mode": "batch", "training.batch_size": None, "training.stop_at": {"gradient_norm": 1e-9}},
        {"training.mode": "batch", "training.batch_size": None, "optimizer": "lbfgs", "network.dropout": 0},
    ],
)
def test_rows_from_anywhere_train_alike(config: Path, overrides: dict[str, object]) -> None:
    setup = open_config(config, overrides)
    in_memory = RowsOfArrays(setup.prepared.splits["train"])
    elsewhere = RowByRow(in_memory.take(slice(None)))
    np.testing.assert_array_equal(trained(setup, elsewhere), trained(setup, in_memory))
    assert elsewhere.asked >= 3


def test_rows_in_memory_are_handed_out_as_they_are(config: Path) -> None:
    rows = open_config(config, {}).prepared.splits["train"]
    source = RowsOfArrays(rows)
    assert np.shares_memory(source.take(slice(3, 9)).X, rows.X)
    order = np.array([4, 2, 2])
    taken = source.take(order)
    np.testing.assert_array_equal(taken.X, rows.X[order])
    assert taken.X.ctypes.data % 64 == 0
