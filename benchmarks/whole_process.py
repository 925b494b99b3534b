"""Case I: whole processes by wall clock, from the shell to the finished run: iris, one flower at a time, 100 epochs.

    python benchmarks/whole_process.py [--threads 1,2] [--repeats 5] [--json FILE]

`bptrain fit configs/iris.yaml` beside the same training in scripts for scikit-learn and PyTorch: the same file, shares
of the split, scaling, network, rate and epochs, and the accuracy of each split at the end. The scripts are spared what
bptrain does besides: to look at the validation rows after each epoch, to keep the best weights, to write a run that
can be resumed. The first round warms up (file caches, compiled code) and is not counted.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from machine import installed
from rounds import Table, interleaved, timed, write_json
from worker import surroundings

ROOT = Path(__file__).resolve().parent.parent
EPOCHS = 100
TARGETS = (("scikit-learn", 3.0), ("PyTorch", 5.0))

DATA = f"""
import sys
import warnings
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

table = np.genfromtxt(sys.argv[1], delimiter=",", skip_header=1, dtype=str)
X = table[:, :4].astype(np.float32)
labels, y = np.unique(table[:, 4], return_inverse=True)
X, X_rest, y, y_rest = train_test_split(X, y, test_size=44, stratify=y, random_state=0)
X_validation, X_test, y_validation, y_test = train_test_split(
    X_rest, y_rest, test_size=22, stratify=y_rest, random_state=0
)
scaler = StandardScaler().fit(X)
X, X_validation, X_test = map(scaler.transform, (X, X_validation, X_test))
EPOCHS = {EPOCHS}
"""

SKLEARN = """
from sklearn.neural_network import MLPClassifier

warnings.simplefilter("ignore")
model = MLPClassifier(
    (8,), activation="tanh", solver="sgd", alpha=0.0, batch_size=1, learning_rate_init=0.02, momentum=0.0,
    max_iter=EPOCHS, n_iter_no_change=EPOCHS, tol=0.0, random_state=0,
)
model.fit(X, y)
for rows, true in ((X, y), (X_validation, y_validation), (X_test, y_test)):
    print(model.score(rows, true))
"""

# Split and scaled by hand, so that PyTorch is spared the import of scikit-learn.
TORCH_DATA = f"""
import sys
import numpy as np

table = np.genfromtxt(sys.argv[1], delimiter=",", skip_header=1, dtype=str)
X = table[:, :4].astype(np.float32)
labels, y = np.unique(table[:, 4], return_inverse=True)
order = np.random.default_rng(0).permutation(len(X))
X, y = X[order], y[order]
X = (X - X[:106].mean(axis=0)) / X[:106].std(axis=0)
EPOCHS = {EPOCHS}
"""

TORCH = """
import torch

torch.manual_seed(0)
X, y = torch.from_numpy(X), torch.from_numpy(y)
model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
objective = torch.nn.CrossEntropyLoss()
for _ in range(EPOCHS):
    order = torch.randperm(106)
    for x, t in zip(X[order].split(1), y[order].split(1)):
        optimizer.zero_grad()
        objective(model(x), t).backward()
        optimizer.step()
with torch.inference_mode():
    for rows in (slice(0, 106), slice(106, 128), slice(128, None)):
        print((model(X[rows]).argmax(1) == y[rows]).float().mean().item())
"""


def commands(folder: Path) -> dict[str, list[str]]:
    """The command line of each contestant."""
    config, data = str(ROOT / "configs" / "iris.yaml"), str(ROOT / "data" / "iris.csv")
    fit = [sys.executable, "-m", "bptrain", "fit", config, "--overwrite", "--out", str(folder / "run")]
    fit += ["--set", f"training.epochs={EPOCHS}", "--set", "training.mode=sgd"]
    lines = {"bptrain fit": fit, "bptrain fit, numpy": [*fit, "--set", "training.engine=numpy"]}
    if installed("numba") is not None:
        lines["bptrain fit, numba"] = [*fit, "--set", "training.engine=numba"]
    scripts = {"scikit-learn": ("scikit-learn", DATA + SKLEARN), "PyTorch": ("torch", TORCH_DATA + TORCH)}
    for name, (package, text) in scripts.items():
        if installed(package) is None:
            print(f"{name} is left out: not installed", file=sys.stderr)
            continue
        script = folder / f"train_with_{package}.py"
        script.write_text(text, encoding="utf-8")
        lines[name] = [sys.executable, str(script), data]
    return lines


def runner(line: list[str]) -> Callable[[], float]:
    """Runs the command, and returns its seconds."""
    return lambda: timed(lambda: subprocess.run(line, capture_output=True, check=True, cwd=ROOT))


def working(lines: dict[str, list[str]]) -> dict[str, list[str]]:
    """Those that end with 0 and do what they should; this warms up as well."""
    found = {}
    for name, line in lines.items():
        done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=ROOT)
        if done.returncode == 0:
            found[name] = line
            print(f"{name}: {' '.join(done.stdout.split())}", file=sys.stderr)
        else:
            print(
                f"{name} is left out: exit {done.returncode}: {done.stderr.strip()[-300:]}", file=sys.stderr
            )
    return found


def main() -> None:
    """Prints a table for each number of threads."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    tables = []
    for threads in map(int, options.threads.split(",")):
        with tempfile.TemporaryDirectory() as folder, surroundings(threads):
            lines = working(commands(Path(folder)))
            rounds = interleaved({name: runner(line) for name, line in lines.items()}, options.repeats)
        title = f"I: the whole process, iris, sgd, {EPOCHS} epochs; threads: {threads}"
        tables.append(Table(title, "seconds", "bptrain fit", rounds, TARGETS))
        print(tables[-1], flush=True)
    write_json(options.json, tables)


if __name__ == "__main__":
    main()
