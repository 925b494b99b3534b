"""The other programs of benchmarks/tables.py, each with its defaults: how they are fitted, in their own environment.

All categories are given as such, a missing one is a level of its own; scikit-learn's MLP has them one-hot. Numbers
that are missing stay so, but for the two networks, which take none: they get the median of the training rows.
"""

import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from table_protocol import MISSING, PART

Values = NDArray[Any]


class Rows(NamedTuple):
    """The rows of a part."""

    x: pd.DataFrame
    y: Values


class Problem(NamedTuple):
    """What a program is given."""

    train: Rows
    validation: Rows | None  # None where they are among the training rows, or are not given
    test: Rows
    categories: list[str]
    is_classes: bool
    seed: int


class Peer(NamedTuple):
    """A program: the packages whose versions count, and its predictions of the test rows."""

    packages: tuple[str, ...]
    predict: Callable[[Problem], Values]


def read(task: dict[str, Any]) -> Problem:
    """The rows of a task."""
    frame = pd.read_csv(task["file"], dtype=str, keep_default_na=False)
    part, target = frame.pop(PART), frame.pop(task["target"])
    is_classes = task["task"] == "classification"
    y = np.unique(target, return_inverse=True)[1] if is_classes else target.astype(float).to_numpy()
    frame = frame.drop(columns=task["exclude"])
    x = pd.DataFrame(index=frame.index)
    for number, name in enumerate(frame.columns):
        column = frame[name].where(~frame[name].str.strip().isin(MISSING))
        is_category = name in task["categories"]
        x[f"x{number}"] = column.fillna("missing").astype("category") if is_category else column.astype(float)

    def rows(*parts: str) -> Rows:
        chosen = part.isin(parts).to_numpy()
        return Rows(x[chosen].reset_index(drop=True), y[chosen])

    given = task["rows"]
    train = rows("train", "validation") if given == "both" else rows("train")
    validation = rows("validation") if given == "fit and choose" else None
    names = [f"x{number}" for number, name in enumerate(frame.columns) if name in task["categories"]]
    return Problem(train, validation, rows("test"), names, is_classes, task["seed"])


def hgb(problem: Problem) -> Values:
    """scikit-learn's histogram gradient boosting."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if problem.is_classes else HistGradientBoostingRegressor
    return kind(random_state=problem.seed).fit(*problem.train).predict(problem.test.x)


def lightgbm(problem: Problem) -> Values:
    """LightGBM."""
    from lightgbm import LGBMClassifier, LGBMRegressor

    kind = LGBMClassifier if problem.is_classes else LGBMRegressor
    model = kind(random_state=problem.seed, n_jobs=1, verbosity=-1)
    return model.fit(*problem.train).predict(problem.test.x)


def catboost(problem: Problem) -> Values:
    """CatBoost."""
    from catboost import CatBoostClassifier, CatBoostRegressor

    kind = CatBoostClassifier if problem.is_classes else CatBoostRegressor
    model = kind(
        random_seed=problem.seed,
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
        cat_features=problem.categories,
    )
    return np.ravel(model.fit(*problem.train).predict(problem.test.x))


def sklearn_mlp(problem: Problem) -> Values:
    """scikit-learn's network, with inputs and targets of mean 0 and standard deviation 1."""
    from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = [name for name in problem.train.x.columns if name not in problem.categories]
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), numbers),
            ("categories", OneHotEncoder(handle_unknown="ignore", sparse_output=False), problem.categories),
        ]
    )
    full = filled(problem)
    if problem.is_classes:
        model = make_pipeline(columns, MLPClassifier(random_state=problem.seed))
    else:
        network = TransformedTargetRegressor(
            MLPRegressor(random_state=problem.seed), transformer=StandardScaler()
        )
        model = make_pipeline(columns, network)
    return model.fit(*full.train).predict(full.test.x)


def realmlp_td_s(problem: Problem) -> Values:
    """RealMLP, the simplified version."""
    from pytabkit import RealMLP_TD_S_Classifier, RealMLP_TD_S_Regressor

    return realmlp(RealMLP_TD_S_Classifier if problem.is_classes else RealMLP_TD_S_Regressor, problem)


def realmlp_td(problem: Problem) -> Values:
    """RealMLP."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    return realmlp(RealMLP_TD_Classifier if problem.is_classes else RealMLP_TD_Regressor, problem)


def realmlp(kind: Any, problem: Problem) -> Values:
    """The training rows fit, the validation rows choose the epoch."""
    full = filled(problem)
    assert full.validation is not None
    model = kind(device="cpu", random_state=problem.seed, n_cv=1, n_refit=0, n_threads=1, verbosity=0)
    model.fit(*full.train, *full.validation, cat_col_names=problem.categories)
    return np.ravel(model.predict(full.test.x))


def filled(problem: Problem) -> Problem:
    """The same without gaps among the numbers."""
    numbers = [name for name in problem.train.x.columns if name not in problem.categories]
    medians = problem.train.x[numbers].median().fillna(0.0)

    def whole(rows: Rows) -> Rows:
        return Rows(rows.x.fillna(medians), rows.y)

    validation = None if problem.validation is None else whole(problem.validation)
    return problem._replace(train=whole(problem.train), validation=validation, test=whole(problem.test))


PEERS = {
    "hgb": Peer(("scikit-learn",), hgb),
    "lightgbm": Peer(("lightgbm",), lightgbm),
    "sklearn_mlp": Peer(("scikit-learn",), sklearn_mlp),
    "catboost": Peer(("catboost",), catboost),
    "realmlp_td_s": Peer(("pytabkit", "torch"), realmlp_td_s),
    "realmlp_td": Peer(("pytabkit", "torch"), realmlp_td),
}


def peer_of(program: str) -> Peer:
    """The peer of a program, whichever rows it is given."""
    return PEERS[program.removesuffix("_train")]


def versions(program: str) -> dict[str, str]:
    """What a program's figures depend on."""
    return {name: version(name) for name in (*peer_of(program).packages, "numpy")}


def prepare(task: dict[str, Any]) -> Callable[[], dict[str, float]]:
    """Reads the rows of a task; what is returned fits, predicts and judges, and is what is timed."""
    problem, peer = read(task), peer_of(task["program"])

    def work() -> dict[str, float]:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # of a network that is not converged after its default epochs, and such
            guess = peer.predict(problem)
        if problem.is_classes:
            return {"accuracy": float(np.mean(guess == problem.test.y))}
        return {"rmse": float(np.sqrt(np.mean((guess - problem.test.y) ** 2)))}

    return work
