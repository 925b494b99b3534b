"""The JSON Schema of a config: it takes what `load_config` takes, and refuses what is misspelt or out of bounds."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from bptrain.config import to_plain, validate
from bptrain.config.document import load_text
from bptrain.config.json_schema import config_schema, schema_text
from bptrain.config.normalize import normalize
from bptrain.config.schema import Config
from bptrain.parts.activations import Activation, activations
from bptrain.parts.describe import KINDS
from bptrain.parts.losses import losses
from bptrain.parts.types import Unit
from command import bptrain
from conftest import ROOT

jsonschema = pytest.importorskip("jsonschema")  # where no extra is installed
SCHEMA = config_schema()
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
LEAST: dict[str, Any] = {
    "data": {"train": "a.csv", "target": "y"},
    "network": {"sizes": ["auto", "auto"]},
    "loss": "half_squared_error",
}
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))


def written(**changes: Any) -> dict[str, Any]:
    """The least config with other values, by dotted key with __ for the dot."""
    config = copy.deepcopy(LEAST)
    for key, value in changes.items():
        *steps, last = key.split("__")
        section = config
        for step in steps:
            section = section.setdefault(step, {})
        section[last] = value
    return config


def properties(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key of the config by its path, with its schema; the options of parts left out."""
    for branch in (schema, *schema.get("anyOf", ())):
        for name, inner in branch.get("properties", {}).items():
            yield f"{path}{name}", inner
            yield from properties(inner, f"{path}{name}.")


def test_it_is_a_schema_of_draft_7() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    used = {key for schema in schemas(SCHEMA) for key in schema}
    later = {"prefixItems", "$defs", "dependentRequired", "dependentSchemas", "unevaluatedProperties"}
    assert used & later == set(), "keywords of later drafts, which strict editors refuse"


def schemas(schema: Any) -> Iterator[dict[str, Any]]:
    """A schema and all inside it; what `properties` and `definitions` name is no keyword."""
    if isinstance(schema, list):
        for one in schema:
            yield from schemas(one)
    elif isinstance(schema, dict):
        yield schema
        for key, inner in schema.items():
            yield from schemas(list(inner.values()) if key in ("properties", "definitions") else inner)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.stem)
def test_it_takes_every_config_that_ships_as_written_and_resolved(config: Any) -> None:
    text = config.read_text(encoding="utf-8")
    document = load_text(text, str(config))
    VALIDATOR.validate(document.value)
    VALIDATOR.validate(to_plain(validate(document)))


@pytest.mark.parametrize(
    "config",
    [
        written(),
        written(data__train={"inputs": "a.npy", "target": "b.npy"}, data__target=None),
        written(data__target=["a", "b"], data__features=["c"], data__missing={"c": "median"}),
        written(data__columns={"c": "categorical"}, data__scale={"name": "minmax", "to": [0, 1], "low": 0}),
        written(data__columns={"c": {"scale": {"name": "minmax", "low": 0}}, "o": {"order": ["low", 3]}, "t": "text"}),
        written(data__columns={"c": {"kind": "categorical", "encode": "hash", "buckets": 9}, "d": {"format": "dmy"}}),
        written(data__missing={"c": "median", "d": {"fill": "constant", "value": 3, "indicator": True}}),
        written(data__split={"validation": 0, "stratify": True}, data__validation=None),
        written(data__train=["a.csv", "b*.csv"], data__test={"inputs": ["c"]}, data__format="csv", data__index=True),
        written(data__header=False, data__target=3, data__features=[1, 2], data__exclude=[4], data__weight=5),
        written(data__header=3, data__delimiter="tab", data__encoding="latin-1", data__comment="#", data__quote=""),
        written(data__missing_markers="NA", data__decimal=",", data__thousands=".", data__index="id"),
        written(data__missing_markers=["default", "-9999"], data__index=False, data__header=True),
        written(network__sizes=[3, 4, 1], network__activations=["relu", {"name": "leaky_relu", "slope": 0.1}]),
        written(network__bias=[True, 0.5], network__initializer=["auto", {"name": "normal"}], network__dropout=0.2),
        written(network__bias=0, network__dropout=[0.1, 0.2], network__activations=None),
        written(loss={"name": "cross_entropy", "class_weight": {"a": 2, "b": 1.5}, "label_smoothing": 0.1}),
        written(loss={"name": "huber", "delta": 0.5, "reduction": "sum"}),
        written(optimizer={"learning_rate": [0.1, 0.2]}, schedule={"warmup": 2}),
        written(optimizer={"name": "adam", "learning_rate": 1, "weight_decay": 0}, schedule="cosine"),
        written(training=None, checkpoint=None, metrics="accuracy", silence="small_split"),
        written(training={"stop_at": None, "penalty": None, "early_stopping": None, "noise": {"std": 1}}),
        written(training={"early_stopping": {"monitor": "f1"}}, metrics=["f1", {"name": "roc_auc"}]),
        written(checkpoint={"every": {"seconds": 5}, "keep": 1}, seed=7, format=1, task="regression"),
    ],
    ids=lambda config: json.dumps(config)[-60:],
)  # fmt: skip
def test_it_takes_every_form_that_a_config_takes(config: dict[str, Any]) -> None:
    VALIDATOR.validate(config)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {**LEAST, "loss": None},
        {"loss": "huber", "network": {"sizes": [1, 1]}},
        written(lr=0.1),
        written(data__label="y"),
        written(training__epoch=3),
        written(training__epochs=0),
        written(training__epochs="3"),
        written(training__epochs=2.5),
        written(training__mode="full"),
        written(training__early_stopping={"monitr": "loss"}),
        written(training__noise={}),
        written(network__sizes=[3]),
        written(network__sizes=[3, "many", 1]),
        written(network__sizes=[3, 0]),
        written(network__dropout=1),
        written(network__dtype="float16"),
        written(network__activations=["relu", "reluu"]),
        written(network__activations=[{"name": "leaky_relu", "alpha": 0.1}]),
        written(network__activations=[{"slope": 0.1}]),
        written(network__initializer={"name": "auto", "gain": 1}),
        written(loss="mse"),
        written(loss={"name": "huber", "delta": 0}),
        written(loss={"reduction": "mean"}),
        written(loss={"name": "huber", "label_smoothing": 0.1}),
        written(loss={"name": "huber", "class_weight": "even"}),
        written(optimizer="sgd"),
        written(optimizer={"name": "adam", "momentum": 0.9}),
        written(optimizer={"name": "lbfgs", "weight_decay": 0.1}),
        written(optimizer={"beta1": 0.9}),
        written(schedule={"name": "cosine", "warmup": -1}),
        written(data__split={"test": 1}),
        written(data__columns={"c": "nominal"}),
        written(data__columns={"c": {"kind": "numeric", "scales": "log"}}),
        written(data__columns={"c": {"format": "dd.mm."}}),
        written(data__missing={"c": {"fill": "zero"}}),
        written(data__missing={"c": {"indicator": True}}),
        written(data__missing="zero"),
        written(data__train={"target": "b.npy"}),
        written(data__target=[]),
        written(data__target=0),
        written(data__train=[]),
        written(data__format="exel"),
        written(data__header=0),
        written(data__header="none"),
        written(data__delimiter=""),
        written(data__quote="ab"),
        written(data__missing_markers=[-9999]),
        written(data__index=3),
        written(data__scale="auto"),
        written(metrics=["acc"]),
        written(silence=["everything"]),
        written(checkpoint={"every": {"minutes": 5}}),
        written(format=2),
    ],
    ids=lambda config: json.dumps(config)[-60:],
)
def test_it_refuses_what_a_config_may_not_have(config: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(config)


POOL: list[Any] = [
    None, True, False, 0, 1, 2, 3, 40, -1, 0.5, 1.0, 1.5, 1e300, "auto", "all", "a", "", "relu", "adam", "cosine",
    "none", "huber", "accuracy", "median", "minmax", "small_split", "batch", "float64", "numpy", "regression",
    [], [1, 2], ["a"], ["auto", "auto"], [True, 0.1], ["relu"], [{"name": "elu"}], ["accuracy", {"name": "f1"}],
    {}, {"name": "adam"}, {"name": "momentum", "mu": 0.5}, {"name": "minmax", "to": [0, 1]}, {"learning_rate": 0.2},
    {"a": "median"}, {"a": "categorical"}, {"inputs": "a.npy", "target": "b.npy"}, {"epochs": 3}, {"decay": 0.9},
    {"std": 1}, {"l2": 0.1}, {"validation": 0.3}, {"stratify": False}, {"patience": 2}, {"loss": 0.1},
    {"name": "huber", "class_weight": {"1": 2}}, {"name": "normal", "std": 2}, {"name": "cosine", "warmup": 3},
    {"warmup": 1},
]  # fmt: skip


def test_it_takes_whatever_a_config_takes() -> None:
    """Each key with each of many values, in its own section: what loads is right by the schema too."""
    accepted = 0
    for path, _ in properties(SCHEMA):
        for value in POOL:
            if path.startswith(("training.noise.", "data.validation.", "data.test.", "data.train.")):
                continue  # of sections that lack a key that must be given
            config = written(**{path.replace(".", "__"): value})
            try:
                Config.model_validate(normalize(config))
            except ValidationError:
                continue
            accepted += 1
            assert VALIDATOR.is_valid(config), (path, value)
    assert accepted > 250


def test_every_key_says_what_it_is_for() -> None:
    assert [path for path, schema in properties(SCHEMA) if not schema.get("description")] == []


def test_defaults_are_those_of_the_config() -> None:
    """A config in which every key has its default written out is the one in which none has."""
    config = copy.deepcopy(LEAST)
    defaults = {path: schema["default"] for path, schema in properties(SCHEMA) if "default" in schema}
    assert len(defaults) > 40
    for path, default in defaults.items():
        section: Any = config
        *steps, last = path.split(".")
        if any(defaults.get(".".join(steps[: k + 1]), 0) is None for k in range(len(steps))):
            continue  # of a section that is not there by default
        for step in steps:
            section = section.setdefault(step, {}) if isinstance(section, dict) else None
        if isinstance(section, dict):
            section[last] = default
    least, full = (validate(load_text(yaml.safe_dump(value), "f.yaml")) for value in (LEAST, config))
    assert full == least


def test_every_part_and_option_is_there() -> None:
    of = {"optimizers": "optimizer", "losses": "loss", "activations": "activation", "scalers": "scaler"}
    of |= {
        "schedules": "schedule",
        "initializers": "initializer",
        "metrics": "metric",
        "embeddings": "embedding",
    }
    for kind, registry in KINDS.items():
        names, *mappings = SCHEMA["definitions"][of[kind]]["anyOf"]
        assert set(names["enum"]) - {"auto"} == set(registry)
        assert len(names["enum"]) == len(names["enumDescriptions"]) == len(mappings)
        made = {branch["properties"]["name"]["const"]: branch["properties"] for branch in mappings}
        for name in registry:
            assert registry.options(name).keys() <= made[name].keys()


def test_bounds_and_defaults_of_options() -> None:
    branches = SCHEMA["definitions"]["optimizer"]["anyOf"][1:]
    (adam,) = [branch for branch in branches if branch["properties"]["name"]["const"] == "adam"]
    assert adam["properties"]["beta1"]["default"] == 0.9
    assert adam["properties"]["beta1"]["exclusiveMaximum"] == 1
    assert adam["properties"]["learning_rate"]["default"] == 0.001
    assert adam["required"] == ["name"]
    assert "weight_decay" in adam["properties"]


def test_a_new_part_is_in_it() -> None:
    @activations.add("cube")
    def cube(scale: Unit = 1.0) -> Activation:
        """scale z³."""
        return Activation(lambda z: scale * z * z * z, lambda z, x: 3.0 * scale * z * z)

    try:
        validator = jsonschema.Draft7Validator(config_schema())
    finally:
        activations.remove("cube")
    config = written(network__activations={"name": "cube", "scale": 0.5})
    assert validator.is_valid(config)
    assert not validator.is_valid(written(network__activations={"name": "cube", "scale": 2}))
    assert not VALIDATOR.is_valid(config)


def test_the_command_prints_it() -> None:
    shown = bptrain("schema")
    assert (shown.code, shown.err, shown.out) == (0, "", schema_text())
    record = bptrain("schema", "--json").json
    assert {"command": "schema", "ok": True, "schema_version": 1}.items() <= record.items()
    assert record["schema"] == SCHEMA


def test_the_command_knows_plugins(workplace: Any) -> None:
    file = workplace / "mine.py"
    file.write_text(
        "from bptrain.plugins import Activation, activations\n\n\n"
        '@activations.add("mine")\ndef mine() -> Activation:\n    """z."""\n'
        "    return Activation(lambda z: z, lambda z, x: 1.0 + 0.0 * z)\n"
    )
    assert '"mine"' in bptrain("schema", "--plugin", file).out
    assert '"mine"' not in bptrain("schema").out


def test_losses_have_their_reduction() -> None:
    for branch in SCHEMA["definitions"]["loss"]["anyOf"][1:]:
        assert branch["properties"]["reduction"] == {"enum": ["mean", "sum"], "default": "mean"}
    assert set(losses) == set(SCHEMA["definitions"]["loss"]["anyOf"][0]["enum"])


def test_what_only_a_run_writes_is_not_offered() -> None:
    assert '"arrays"' not in schema_text()
