"""Case J: predictions for a million rows of 20 columns by a network 20-64-32-2, from raw numbers to classes.

    python benchmarks/predict.py [--threads 1,2] [--rows 1000000] [--repeats 5] [--json FILE]

`model.predict` of bptrain's Python API beside PyTorch, scikit-learn and onnxruntime. All are given the weights and the
scaling of one trained run, and their classes must agree. Scaling and argmax are in the timed part. scikit-learn has one
logistic output for two classes, with the difference of the two outputs' weights, which decides alike. The peers
run twice: over all rows at once, and over chunks that fit in the cache.
"""

import argparse
import sys
import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import bptrain
from bptrain.core.network import Views, views
from bptrain.parts.types import Array
from rounds import Table, interleaved, timed, write_json
from worker import in_a_process

COLUMNS, HIDDEN, CLASSES = 20, (64, 32), 2
TRAINING_ROWS, CHUNK = 2_000, 8_192
TARGETS = (("PyTorch", 1.0), ("scikit-learn", 1.0))
CONFIG = f"""
data: {{train: rows.npz, target: y}}
network: {{sizes: [{COLUMNS}, {HIDDEN[0]}, {HIDDEN[1]}, {CLASSES}], activations: [relu, relu, softmax]}}
loss: cross_entropy
training: {{epochs: 1, engine: numba}}
"""
Predict = Callable[[Array], Array]  # raw rows -> classes
Make = Callable[[bptrain.Model, int], dict[str, Predict]]  # model, threads


def raw_rows(rows: int) -> Array:
    """Columns of different places and widths."""
    rng = np.random.default_rng(0)
    X: Array = rng.standard_normal((rows, COLUMNS), np.float32) * np.arange(1, COLUMNS + 1, dtype=np.float32)
    return X + np.float32(3.0)


def trained() -> bptrain.Model:
    """A model of one epoch on synthetic rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        X = raw_rows(TRAINING_ROWS)
        np.savez(folder / "rows.npz", X=X, y=(X.sum(axis=1) > 60).astype(np.int64))
        (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
        run = bptrain.fit(folder / "config.yaml", out=folder / "run")
        return bptrain.load(run.path)


def scaling(model: bptrain.Model) -> tuple[Array, Array]:
    """What is subtracted from each column, and what it is divided by."""
    features = model.schema.features
    center = np.array([feature.center for feature in features], np.float32)
    return center, np.array([feature.spread for feature in features], np.float32)


def weights(model: bptrain.Model) -> Views:
    """W[i] and b[i]."""
    return views(model.network, model.w)


def ours(model: bptrain.Model, threads: int) -> dict[str, Predict]:
    """The Python API."""
    return {"bptrain": model.predict}


def in_chunks(predict: Predict) -> Predict:
    """The same for some rows at a time."""
    return lambda X: np.concatenate([predict(X[a : a + CHUNK]) for a in range(0, len(X), CHUNK)])


def pytorch(model: bptrain.Model, threads: int) -> dict[str, Predict]:
    """Sequential in inference mode."""
    import torch

    torch.set_num_threads(threads)
    center, spread = (torch.from_numpy(array) for array in scaling(model))
    parameters, L = weights(model), model.network.L
    layers: list[Any] = []
    for i in range(1, L + 1):
        linear = torch.nn.Linear(model.network.sizes[i - 1], model.network.sizes[i])
        state = {"weight": torch.from_numpy(parameters.W[i]), "bias": torch.from_numpy(parameters.b[i])}
        linear.load_state_dict(state)
        layers += [linear, torch.nn.ReLU()] if i < L else [linear]
    network = torch.nn.Sequential(*layers)

    def predict(X: Array) -> Array:
        with torch.inference_mode():
            classes: Array = network((torch.from_numpy(X) - center) / spread).argmax(1).numpy()
            return classes

    return {"PyTorch": predict, "PyTorch in chunks": in_chunks(predict)}


def scikit_learn(model: bptrain.Model, threads: int) -> dict[str, Predict]:
    """A pipeline of scaler and classifier."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pipeline = make_pipeline(StandardScaler(), MLPClassifier(HIDDEN, max_iter=1, solver="sgd"))
    X = raw_rows(TRAINING_ROWS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        pipeline.fit(X, np.arange(TRAINING_ROWS) % CLASSES)  # makes the matrices, which then get our weights
    scaler, network = pipeline[0], pipeline[1]
    scaler.mean_, scaler.scale_ = scaling(model)
    parameters = weights(model)
    W, b = parameters.W[1:], parameters.b[1:]
    network.coefs_ = [w.T for w in W[:-1]] + [(W[-1][1:] - W[-1][:1]).T]
    network.intercepts_ = [*b[:-1], np.diff(np.asarray(b[-1]))]
    return {"scikit-learn": pipeline.predict, "scikit-learn in chunks": in_chunks(pipeline.predict)}


def onnxruntime(model: bptrain.Model, threads: int) -> dict[str, Predict]:
    """A graph of Sub, Div, Gemm, Relu and ArgMax."""
    import onnxruntime as runtime

    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    session = runtime.InferenceSession(graph(model), options, providers=["CPUExecutionProvider"])

    def predict(X: Array) -> Array:
        classes: Array = session.run(None, {"X": X})[0]
        return classes

    return {"onnxruntime": predict, "onnxruntime in chunks": in_chunks(predict)}


def graph(model: bptrain.Model) -> bytes:
    """The model in ONNX."""
    from onnx import TensorProto, helper, numpy_helper

    center, spread = scaling(model)
    parameters, L = weights(model), model.network.L
    constants = {"center": center, "spread": spread}
    nodes = [
        helper.make_node("Sub", ["X", "center"], ["c"]),
        helper.make_node("Div", ["c", "spread"], ["x0"]),
    ]
    for i in range(1, L + 1):
        b = parameters.b[i]
        assert b is not None
        constants |= {f"W{i}": parameters.W[i], f"b{i}": b}
        nodes.append(helper.make_node("Gemm", [f"x{i - 1}", f"W{i}", f"b{i}"], [f"z{i}"], transB=1))
        if i < L:
            nodes.append(helper.make_node("Relu", [f"z{i}"], [f"x{i}"]))
    nodes.append(helper.make_node("ArgMax", [f"z{L}"], ["classes"], axis=1, keepdims=0))
    inputs = [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["rows", COLUMNS])]
    outputs = [helper.make_tensor_value_info("classes", TensorProto.INT64, ["rows"])]
    tensors = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    made = helper.make_graph(nodes, "perceptron", inputs, outputs, tensors)
    whole = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    text: bytes = whole.SerializeToString()
    return text


def figures(threads: int, rows: int, repeats: int) -> dict[str, list[float]]:
    """Seconds of each contestant in each round, once their classes have been compared."""
    model, X = trained(), raw_rows(rows)
    contestants: dict[str, Predict] = {}
    makes: list[Make] = [ours, pytorch, scikit_learn, onnxruntime]
    for make in makes:
        try:
            contestants |= make(model, threads)
        except ImportError as error:
            print(f"{make.__name__} is left out: not installed: {error}", file=sys.stderr)
    expected = model.predict(X)
    assert 0.1 < expected.mean() < 0.9, "a network that always says the same would agree with anything"
    for name, predict in contestants.items():
        unlike = int(np.count_nonzero(predict(X) != expected))
        print(f"{name}: {unlike} of {rows} classes differ", file=sys.stderr)
        if unlike > 1e-4 * rows:  # rows on the border, where rounding decides
            raise SystemExit(f"{name} predicts other classes than bptrain")
    return interleaved(
        {name: partial(timed, partial(predict, X)) for name, predict in contestants.items()}, repeats
    )


def main() -> None:
    """Prints a table for each number of threads."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    tables = []
    for threads in map(int, options.threads.split(",")):
        rounds = in_a_process(threads, figures, threads, options.rows, options.repeats)
        title = f"J: {options.rows:,} rows × {COLUMNS}, 20-64-32-2; threads: {threads}"
        tables.append(Table(title, "seconds", "bptrain", rounds, TARGETS))
        print(tables[-1], flush=True)
    write_json(options.json, tables)


if __name__ == "__main__":
    main()
