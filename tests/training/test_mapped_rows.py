"""Rows in mapped files train as rows in memory do, to the last bit, and so do their figures come out."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain import mapped_rows
from bptrain.build.setup import Setup
from bptrain.commands.fit import fit as fit_command
from bptrain.commands.fit import ready
from bptrain.commands.fit.fit import Done, fit_events
from bptrain.commands.fit.ready import Fit, open_fit
from bptrain.core.dropout import masks
from bptrain.data.prepared import Rows
from bptrain.data.storage import MappedFiles
from bptrain.mapped_rows import IN_MEMORY, Mapping, by_rows, mapping, room_of
from bptrain.store.checkpoint import read
from bptrain.training import rows as rows_module
from bptrain.training.events import EpochEnd
from bptrain.training.rows import EpochRows, RowsOfArrays, rows_ahead
from engines.installed import needs_compiler
from networks import network

ROWS = 400
VALUES: dict[str, object] = {
    "data.target": "y",
    "loss": "half_squared_error",
    "metrics": ["rmse", "mae", "r2", "median_absolute_error"],
}
CLASSES: dict[str, object] = {
    "data.target": "kind",
    "loss": "cross_entropy",
    "network.activations": ["tanh", "relu", "softmax"],
    "metrics": ["accuracy", "f1", "log_loss", "brier", "top_k_accuracy", "expected_calibration_error"],
}
SEVERAL: dict[str, object] = {
    "loss": "half_squared_error",
    "data.target": ["y", "z"],
    "metrics": ["explained_variance", "max_error", "mape", "rmse"],
}
FIELDS = ("best", "final", "warnings", "rows_seen", "epochs", "refit", "before_refit")
BATCH: dict[str, object] = {"training.mode": "batch", "training.batch_size": None}
CASES: dict[str, dict[str, object]] = {
    "mini_batches": VALUES,
    "sgd": VALUES | {"training.mode": "sgd", "training.batch_size": None, "training.epochs": 2},
    "in_order": VALUES | {"training.shuffle": False},
    "weighted": VALUES | {"data.weight": "w"},
    "batch": VALUES | BATCH | {"network.dropout": 0.2},
    "accumulated": VALUES | {"training.accumulate": 3},
    "solver": VALUES | BATCH | {"optimizer": "lbfgs", "data.weight": "w"},
    "curvature": VALUES | BATCH | {"optimizer": "levenberg_marquardt"},
    "classes": CLASSES | BATCH,
    "weighted_classes": CLASSES | {"data.weight": "w", "loss.class_weight": "balanced"},
    "several": SEVERAL,
    "refit": VALUES | {"training.refit": True, "data.weight": "w"},
    "early_stopping": VALUES | {"training.early_stopping": {"patience": 1}, "training.epochs": 20},
}


@pytest.fixture
def config(workplace: Path) -> Path:
    rng = np.random.default_rng(0)
    lines = [
        f"{a},{b},{a - b * b},{b},{'rst'[int(3 * a)]},{w}"
        for a, b, w in rng.random((ROWS, 3)).round(3).tolist()
    ]
    (workplace / "rows.csv").write_text("\n".join(["a,b,y,z,kind,w", *lines]))
    file = workplace / "c.yaml"
    file.write_text(
        "data: {train: rows.csv, features: [a, b], split: {validation: 0.2, test: 0.2}}\n"
        "network: {sizes: [auto, 5, 4, auto], activations: [tanh, relu, identity]}\n"
        "training: {epochs: 3, batch_size: 8}\n"
    )
    return file


@pytest.fixture
def mapped(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """What a fit reads lies in mapped files, however small; the shapes of what is put beside it."""
    made: list[tuple[int, ...]] = []
    empty = MappedFiles.empty

    def noted(self: MappedFiles, shape: tuple[int, ...], dtype: Any) -> Any:
        made.append(shape)
        return empty(self, shape, dtype)

    def opened(setup: Setup) -> Fit:
        splits = {name: in_files(rows, workplace) for name, rows in setup.prepared.splits.items()}
        made.clear()
        return open_fit(setup._replace(prepared=setup.prepared._replace(splits=splits)))

    monkeypatch.setattr(mapped_rows, "LEAST", 1)
    monkeypatch.setattr(mapped_rows, "PIECE_NUMBERS", 99)
    monkeypatch.setattr(rows_module, "PIECE_BYTES", 99)
    monkeypatch.setattr(ready, "rows_ahead", lambda rows, memory: 50)
    monkeypatch.setattr(MappedFiles, "empty", noted)
    monkeypatch.setattr(fit_command, "open_fit", opened)
    return made


def in_files(rows: Rows, directory: Path) -> Rows:
    """The same rows in mapped files."""
    kept = MappedFiles(directory).kept
    return rows._replace(
        X=kept(rows.X),
        T=kept(rows.T),
        y_true=kept(rows.y_true),
        row_index=kept(rows.row_index),
        sample_weight=None if rows.sample_weight is None else kept(rows.sample_weight),
        row_weight=None if rows.row_weight is None else kept(rows.row_weight),
    )


def found(config: Path, overrides: dict[str, object], out: Path) -> Iterator[object]:
    """All that a fit gives."""
    for event in fit_events(config, overrides, out):
        if isinstance(event, EpochEnd):
            yield event.train_loss, event.validation_loss, event.validation_metrics, event.gradient_norm
        elif isinstance(event, Done):
            yield from (event.result.get(key) for key in FIELDS)
            yield [split.baseline_metrics for split in event.summary.splits]
    stored = read(out / "best.safetensors")
    yield {name: tensor.tobytes() for name, tensor in stored.tensors.items()}
    yield stored.absolute_errors


COMPILED = ["mini_batches", "batch", "weighted_classes"]


@pytest.mark.parametrize(
    ("case", "engine"),
    [
        *((case, "numpy") for case in CASES),
        *(pytest.param(case, "numba", marks=needs_compiler) for case in COMPILED),
    ],
)
def test_bits_are_those_of_rows_in_memory(
    case: str, engine: str, config: Path, request: pytest.FixtureRequest
) -> None:
    overrides: dict[str, object] = {**CASES[case], "training.engine": engine}
    in_memory = [*found(config, overrides, config.parent / "in_memory")]
    made = request.getfixturevalue("mapped")
    assert [*found(config, overrides, config.parent / "mapped")] == in_memory
    assert (240,) in made  # the order, or losses


def test_the_gradient_norm_and_a_threaded_batch(config: Path, request: pytest.FixtureRequest) -> None:
    more = {"training.stop_at": {"gradient_norm": 1e-9}, "training.threads": 2, "training.engine": "numpy"}
    overrides: dict[str, object] = VALUES | BATCH | more
    in_memory = [*found(config, overrides, config.parent / "in_memory")]
    request.getfixturevalue("mapped")
    assert [*found(config, overrides, config.parent / "mapped")] == in_memory


def test_formulas_by_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped_rows, "LEAST", 1)
    monkeypatch.setattr(mapped_rows, "PIECE_NUMBERS", 10)
    given = np.random.default_rng(0).random((23, 3))
    asked = []

    def formula(x: Any, y: Any) -> Any:
        asked.append(len(x))
        return np.exp(x) @ np.arange(3.0) + y

    whole = by_rows(formula, given, given[:, 0])
    assert asked == [23]
    lying = MappedFiles(tmp_path).kept(given)
    found = by_rows(formula, lying, given[:, 0])
    assert asked == [23, *[3] * 7, 2]
    assert np.array_equal(found, whole)
    assert isinstance(mapping(found), Mapping)
    assert room_of(given, None) is IN_MEMORY
    assert room_of(given, lying[2:].T) == room_of(found)


def test_masks_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bptrain.core.dropout.PIECE_NUMBERS", 30)
    net = replace(network((3, 9, 2)), dropout=(0.2, 0.5))
    for i, mask in masks(net, 3, 2, slice(5, 60), np.float32).items():
        assert np.array_equal(masks(net, 3, 2, slice(5, 60), np.float32, MappedFiles(tmp_path))[i], mask)


@pytest.mark.parametrize("most", [100, 10**6])
@pytest.mark.parametrize("ahead", [0, 1, 14, 21, 100])
def test_slices_of_an_epoch(ahead: int, most: int, tmp_path: Path) -> None:
    """Whatever is read ahead, a slice has its rows in their order; also where a run goes on in an epoch."""
    rng = np.random.default_rng(1)
    X, T, V = rng.random((50, 3)), rng.random((50, 1)), rng.random(50)
    rows = in_files(Rows(X, T, T, np.arange(50), V), tmp_path)
    order = rng.permutation(50)
    for start in (0, 14):
        epoch = EpochRows(RowsOfArrays(rows, most), order, ahead)
        for a in range(start, 50, 7):
            places = slice(a, min(a + 7, 50))
            for taken, array in zip(epoch.take(places), (X, T, V), strict=True):
                assert taken is not None
                assert np.array_equal(taken, array[order[places]])
        assert epoch.weight(3, 9) == pytest.approx(V[order[3:9]].sum())
    assert rows_ahead(rows, 4 * 56 * 30) == 30
    assert rows_ahead(Rows(X, T, T, order), 10**9) == 0
