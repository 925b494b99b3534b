"""Random configs over every part and option, as users may write them; seeded, so that each run draws the same."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Interval

from bptrain.config import Loaded, load_config
from bptrain.errors import UsageError
from bptrain.parts.activations import activations
from bptrain.parts.initializers import initializers
from bptrain.parts.losses import fits, losses
from bptrain.parts.methods import methods
from bptrain.parts.scalers import scalers
from bptrain.parts.schedules import schedules
from bptrain.parts.solvers import solvers
from bptrain.registry import Registry

CLASSES = ("red", "green", "blue")


def drawn_configs(place: Path, count: int, seed: int = 0) -> Iterator[Loaded]:
    """So many configs that bptrain takes, in files of their own beside their data."""
    rng = random.Random(seed)
    tables(place, rng)
    found = tried = 0
    while found < count:
        file = place / f"drawn{found}.yaml"
        file.write_text(json.dumps(drawn(rng, tried)))
        tried += 1
        try:
            loaded = load_config(file)
        except UsageError:  # a combination that a rule refuses: drawn again
            continue
        found += 1
        yield loaded


def tables(place: Path, rng: random.Random) -> None:
    """Small tables: of few rows and of more, with a target of each kind and a weight."""
    for rows in (12, 90):
        lines = ["a1,a2,a3,value,count,yes,color,heavy"]
        for i in range(rows):
            numbers = [
                f"{0.001 + abs(rng.gauss(0, 3)):.3f}" for _ in range(3)
            ]  # a scaling may take logarithms
            value = f"{0.001 + abs(rng.gauss(5, 2)):.3f}"
            color = CLASSES[i % 3]
            lines.append(",".join([*numbers, value, str(i % 5), str(i % 2), color, str(1 + i % 4)]))
        (place / f"table{rows}.csv").write_text("\n".join(lines) + "\n")


def drawn(rng: random.Random, number: int) -> dict[str, Any]:
    """One config; the parts take turns, so that all of them are drawn."""
    method = turn(methods, number)
    loss_name = solvers.get(method)().loss if method in solvers else None
    loss_name = loss_name or turn(losses, number + number // 7)
    loss = losses.get(loss_name)()
    outputs = {"distribution": 3, "probabilities": 1, "margins": 1}.get(loss.outputs, 1)
    target = {"distribution": "color", "probabilities": "yes", "margins": "yes", "positive": "count"}
    last = [name for name in activations if fits(loss, activations.get(name)())]
    if outputs == 1:
        last = [name for name in last if not activations.get(name)().distribution]
    L = rng.choice((1, 2, 2, 3, 3, 5))
    hidden = [part(rng, activations, turn(activations, number + i)) for i in range(L - 1)]
    sizes = [rng.choice((3, "auto")), *(rng.randint(2, 6) for _ in hidden), rng.choice((outputs, "auto"))]
    training: dict[str, Any] = {"epochs": rng.randint(1, 50)}
    training["mode"] = "batch" if method in (*solvers, "rprop", "quickprop") else rng.choice(MODES)
    if training["mode"] == "minibatch":
        training |= {"batch_size": rng.choice((3, 16, 32)), "accumulate": rng.choice((1, 1, 3))}
    allowed = {name: draw for name, draw in EXTRAS.items() if method not in solvers or name in OF_SOLVERS}
    training |= {name: draw(rng) for name, draw in allowed.items() if rng.random() < 0.3}
    weighted = {"weight": "heavy"} if rng.random() < 0.3 else {}
    network: dict[str, Any] = {
        "sizes": sizes,
        "activations": [*hidden, part(rng, activations, rng.choice(last))],
        "bias": rng.choice((True, True, False, 0.125, [rng.random() < 0.5 for _ in range(L)])),
        "initializer": [part(rng, initializers, turn(initializers, number + i)) for i in range(L)],
        "dtype": rng.choice(("float32", "float64")),
    }
    steps = STEPS[number % len(STEPS)]
    if steps:
        network["input"] = steps
    if method not in solvers and rng.random() < 0.3:
        network["dropout"] = [round(rng.uniform(0, 0.6), 3) for _ in range(L)]
    chosen: dict[str, Any] = {
        "seed": rng.randint(0, 99),
        "data": {
            "train": f"table{rng.choice((12, 90))}.csv",
            "target": target.get(loss.outputs, "value"),
            "features": ["a1", "a2", "a3"],
            "scale": part(rng, scalers, turn(scalers, number)),
            **weighted,
        },
        "network": network,
        "loss": part(rng, losses, loss_name) | {"reduction": rng.choice(("mean", "sum"))},
        "optimizer": part(rng, methods, method),
        "training": training,
    }
    if loss.outputs != "values":
        chosen["task"] = "regression" if loss.outputs == "positive" else "classification"
    elif rng.random() < 0.5:
        name = turn(scalers, number)
        chosen["data"]["scale_target"] = part(rng, scalers, "robust" if name == "robust_clip" else name)
    if loss.outputs == "distribution" and rng.random() < 0.4:
        chosen["loss"]["class_weight"] = rng.choice(("balanced", {"red": 2.5, "blue": 0.5}))
    if method not in (*solvers, "rprop"):
        schedule = turn(schedules, number)
        chosen["schedule"] = part(rng, schedules, schedule)
        if rng.random() < 0.3:
            chosen["schedule"]["warmup"] = rng.choice((0.5, 2))
    if method not in solvers and rng.random() < 0.4:
        chosen["optimizer"]["weight_decay"] = round(rng.uniform(0.001, 0.1), 4)
    return chosen


STEPS: tuple[dict[str, Any], ...] = (  # before layer 1, by turns
    {},
    {},
    {"embed": "periodic"},
    {"embed": {"name": "periodic", "frequencies": 5, "size": 3, "sigma": 0.5}},
)
MODES = ("sgd", "minibatch", "minibatch", "batch")
OF_SOLVERS = ("early_stopping", "max_time", "stop_at", "shuffle")  # of EXTRAS, those that a solver takes
EXTRAS: dict[str, Any] = {
    "average": lambda rng: {"decay": rng.choice((0.9, 0.99))},
    "early_stopping": lambda rng: {
        "patience": rng.randint(1, 20),
        "min_delta": rng.choice((0.0, 0.003)),
        "restore_best": rng.choice((True, False)),
    },
    "max_time": lambda rng: rng.choice((1.5, 60.0)),
    "stop_at": lambda rng: {"loss": rng.choice((0.01, 0.5)), "gradient_norm": 0.0625},
    "penalty": lambda rng: {"l1": rng.choice((0.0, 0.002)), "l2": rng.choice((0.0, 0.03))},
    "clip_norm": lambda rng: rng.choice((0.75, 5.0)),
    "clip_value": lambda rng: rng.choice((0.25, 1.5)),
    "noise": lambda rng: {"std": 0.007, "decay": rng.choice((0.0, 0.55))},
    "max_norm": lambda rng: rng.choice((3.5, 4.0)),
    "shuffle": lambda rng: False,
}


def turn(registry: Registry[Any], number: int) -> str:
    """The parts of a registry, one after the other."""
    names = list(registry)
    return names[number % len(names)]


def part(rng: random.Random, registry: Registry[Any], name: str) -> dict[str, Any]:
    """A part with some of its options drawn within their bounds."""
    options = registry.options(name)
    return {"name": name} | {
        key: drawn_value(rng, option.annotation, option.default)
        for key, option in options.items()
        if rng.random() < 0.7
    }


def drawn_value(rng: random.Random, annotation: Any, default: Any) -> Any:
    """A value of an option, near its default."""
    bounds = [one for one in getattr(annotation, "__metadata__", ()) if isinstance(one, Interval)]
    kind = get_args(annotation)[0] if bounds else annotation
    if get_origin(kind) is Literal:
        return rng.choice(get_args(kind))
    if isinstance(default, str | tuple) or default is None or kind is bool:
        return list(default) if isinstance(default, tuple) else default
    if kind is int or isinstance(default, int):
        return default + rng.randint(0, 2)
    value = default * rng.uniform(0.6, 1.4) if default else rng.choice((0.0, 0.125))
    for bound in bounds:
        ends: tuple[Any, ...] = (bound.ge, bound.gt, bound.le, bound.lt)
        low, high = (next((end for end in pair if end is not None), None) for pair in (ends[:2], ends[2:]))
        if (low is not None and value <= low) or (high is not None and value >= high):
            value = default
    return float(f"{value:.4g}")
