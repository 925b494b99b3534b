"""Every page of `explain` is whole: each symbol is defined, each option has its number, each shape is the network's."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bptrain.commands.explain import Explanation, explain
from bptrain.config import load_config
from bptrain.config.part import PartConfig
from bptrain.config.schema import Config
from bptrain.parts.activations import activations
from bptrain.parts.initializers import initializers
from bptrain.parts.losses import losses
from bptrain.parts.methods import methods
from bptrain.parts.scalers import scalers
from bptrain.parts.schedules import schedules
from bptrain.registry import Registry
from commands.explain.page_symbols import assert_shapes, equations, undefined, values
from commands.explain.random_configs import drawn_configs
from conftest import ROOT

CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
DRAWN = 200


def parts_of(config: Config) -> Iterator[tuple[str, PartConfig]]:
    """Every part of a config that the derivation has, with its key."""
    yield from (("network.activations", one) for one in config.network.activations or ())
    yield from (("network.initializer", one) for one in config.network.initializer if one.name != "auto")
    yield "loss", config.loss
    yield "optimizer", config.optimizer
    yield "schedule", config.schedule
    yield "data.scale", config.data.scale
    if config.network.input is not None and config.network.input.embed is not None:
        yield "network.input.embed", config.network.input.embed
    if config.data.scale_target.name != "auto":
        yield "data.scale_target", config.data.scale_target


def written(value: Any) -> str:
    """A value as YAML has it."""
    if value is None:
        return "that of the training rows"
    if isinstance(value, tuple):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return json.dumps(value).strip('"')


def missing_options(config: Config, page: Explanation) -> list[str]:
    """The options of a config that the page does not give with their numbers."""
    lines = equations(page)
    text = "\n".join(lines)
    missing = []
    for key, part in parts_of(config):
        if part.name == "none" or (key == "schedule" and part.name == "constant"):
            continue
        for name, value in part.options.items():
            if name == "learning_rate":
                rates = value if isinstance(value, tuple) else (value,) * config.network.layers
                found = all(f"α_{i} = {written(rate)}" in lines_end(lines) for i, rate in enumerate(rates, 1))
            elif name == "label_smoothing" and value == 0:
                found = "0 (loss.label_smoothing)" in text
            else:
                found = re.search(rf"\S = {re.escape(written(value))} \({key}\.{name}\)", text) is not None
            if not found:
                missing.append(f"{key}.{name}: {value}")
    for key, value in numbers_of(config):
        given = [line for line in lines if key in line]
        digits = rf"(?<![\d.]){re.escape(written(value))}(?![\d.]*\d)"
        if not any(re.search(digits, line) for line in given):
            missing.append(f"{key}: {value}")
    return missing


def lines_end(lines: list[str]) -> set[str]:
    """The last clauses of the lines of updates."""
    return {line.rpartition(",  ")[2] for line in lines}


def numbers_of(config: Config) -> Iterator[tuple[str, Any]]:
    """The other numbers that a config gives, each with what names it on the page."""
    training = config.training
    yield "loss.reduction", config.loss.reduction
    yield "seed", config.seed
    yield "training.epochs", training.epochs
    if config.optimizer.name not in ("lbfgs", "scaled_conjugate_gradient", "levenberg_marquardt"):
        if training.mode == "minibatch":
            yield "training.batch_size", training.batch_size or 32
            if training.accumulate > 1:
                yield "training.accumulate", training.accumulate
        if config.optimizer.weight_decay:
            yield "optimizer.weight_decay", config.optimizer.weight_decay
        if config.schedule.warmup:
            yield "schedule.warmup", config.schedule.warmup
    for key in ("clip_norm", "clip_value", "max_norm", "max_time"):
        if getattr(training, key) is not None:
            yield f"training.{key}", getattr(training, key)
    for key in ("average", "noise", "early_stopping"):
        for _, value in getattr(training, key) or ():
            yield f"training.{key}", value
    for key, value in training.stop_at:
        if value is not None:
            yield f"training.stop_at.{key}", value
    for _, value in training.penalty:
        if value:
            yield "training.penalty", value
    for bias in config.network.bias:
        if not isinstance(bias, bool):
            yield "network.bias", bias
    for share in config.network.dropout:
        if share:
            yield "dropout", share
    if isinstance(config.loss.class_weight, dict):
        for weight in config.loss.class_weight.values():
            yield "loss.class_weight", weight


def assert_whole(config: Config, page: Explanation) -> None:
    """All that this file is about."""
    names = {name for _, part in parts_of(config) for name in part.options}
    assert not undefined(page, names), undefined(page, names)
    assert not missing_options(config, page)
    repeated = {name: found for name, found in values(page).items() if len(set(found)) > 1}
    assert not repeated, f"one symbol for two options: {repeated}"
    first = page.sections[0].lines[0].equation
    sizes = [int(n) for n in first.split(":")[0].split(" → ")]
    parameters = int(re.findall(r"(\d+) parameters", first)[0])
    for section in page.sections:
        for line in section.lines:
            if line.shapes:
                assert_shapes(line, sizes, parameters)
    if not any(bias is not False for bias in config.network.bias):
        assert not re.search(r"\bb_|∂b", "\n".join(equations(page)))


@pytest.fixture
def configs(workplace: Path) -> Path:
    """A copy of configs/ beside data/."""
    shutil.copytree(ROOT / "configs", workplace / "configs")
    shutil.copytree(ROOT / "data", workplace / "data")
    return workplace / "configs"


@pytest.mark.parametrize("name", [config.name for config in CONFIGS])
def test_the_page_of_every_config_that_ships(name: str, configs: Path) -> None:
    assert_whole(load_config(configs / name).config, explain(configs / name))


def test_the_pages_of_random_configs(workplace: Path) -> None:
    drawn: dict[str, set[str]] = {}
    for loaded in drawn_configs(workplace, DRAWN):
        assert_whole(loaded.config, explain(loaded.path))
        for key, part in parts_of(loaded.config):
            drawn.setdefault(key, set()).add(part.name)
    registries: dict[str, Registry[Any]] = {
        "network.activations": activations,
        "network.initializer": initializers,
        "loss": losses,
        "optimizer": methods,
        "schedule": schedules,
        "data.scale": scalers,
    }
    for key, registry in registries.items():
        assert drawn[key] == set(registry), "not every part was drawn"
