"""`bptrain list`: every part with its formula and options, in words and in JSON."""

import inspect
import re
from pathlib import Path
from typing import Annotated, Literal

import pytest
from annotated_types import Interval

from bptrain.commands.list import OptionRecord, PartRecord, list_parts, option_record, written
from bptrain.console.list import lines
from bptrain.parts.activations import Activation, activations
from bptrain.parts.describe import KINDS, beside
from bptrain.parts.losses import losses
from bptrain.parts.types import LearningRate, Unit
from bptrain.registry import Option
from command import bptrain
from config.helpers import load


def test_all_kinds_in_json() -> None:
    listed = bptrain("list", "--json")
    assert listed.code == 0
    assert listed.err == ""
    assert {"schema_version": 1, "command": "list", "ok": True}.items() <= listed.json.items()
    for kind, registry in KINDS.items():
        assert [part["name"] for part in listed.json[kind]] == list(registry)
        for part in listed.json[kind]:
            assert part["formula"]
            assert [option["name"] for option in part["options"]] == [
                *registry.options(part["name"]),
                *beside(kind, part["name"]),
            ]


def test_one_kind_in_json() -> None:
    listed = bptrain("list", "activations", "--json").json
    assert not listed.keys() & (KINDS.keys() - {"activations"})
    (leaky,) = [part for part in listed["activations"] if part["name"] == "leaky_relu"]
    assert leaky == {
        "name": "leaky_relu",
        "formula": "z for z > 0, else slope z",
        "options": [{"name": "slope", "type": "number", "bounds": "≥ 0", "required": False, "default": 0.01}],
        "plugin": None,
    }


def test_in_words() -> None:
    listed = bptrain("list", "initializers")
    assert listed.code == 0
    rows = listed.out.splitlines()
    assert rows[0] == "initializers"
    assert [row.split()[0] for row in rows[1:] if re.match("  [a-z]", row)] == list(KINDS["initializers"])
    assert "  normal            N(0, std²)" in rows
    assert "                    std: number, > 0; default 1" in rows
    assert "\x1b" not in listed.out


def test_without_a_kind_all_are_shown() -> None:
    listed = bptrain("list")
    assert [row for row in listed.out.splitlines() if row and not row.startswith(" ")] == list(KINDS)


@pytest.mark.parametrize(
    ("wrong", "meant"), [("activation", "activations"), ("Losses", "losses"), ("optimisers", "optimizers")]
)
def test_a_wrong_kind(wrong: str, meant: str) -> None:
    listed = bptrain("list", wrong)
    assert listed.code == 2
    assert listed.out == ""
    assert f"did you mean {meant}?" in listed.err
    in_json = bptrain("list", wrong, "--json")
    assert in_json.code == 2
    assert in_json.json["errors"][0]["suggestion"] == meant


def test_a_part_registered_a_moment_ago() -> None:
    @activations.add("bent")
    def bent(
        power: Annotated[int, Interval(ge=1, le=9)] = 2, way: Literal["up", "down"] | None = None
    ) -> Activation:
        """z bent. Nobody 2026."""
        return Activation(lambda z: z)

    try:
        (bent_record,) = [part for part in list_parts("activations")["activations"] if part.name == "bent"]
    finally:
        activations.remove("bent")
    assert bent_record == PartRecord(
        "bent",
        "z bent",
        (
            OptionRecord("power", "whole number", "≥ 1, ≤ 9", False, 2),
            OptionRecord("way", "up | down or null", None, False, None),
        ),
    )


@pytest.mark.parametrize(
    ("option", "text"),
    [
        (Option(LearningRate, 0.1), "o: number or list of numbers, > 0; default 0.1"),
        (Option(Unit, 0.0), "o: number, ≥ 0, ≤ 1; default 0"),
        (Option(bool, True), "o: true or false; default true"),
        (Option(tuple[float, float], (0.0, 1.0)), "o: list of 2 numbers; default [0, 1]"),
        (Option(str | None, None), "o: text or null; default null"),
        (Option(float, inspect.Parameter.empty), "o: number"),
    ],
)
def test_options_in_words(option: Option, text: str) -> None:
    assert option_record("o", option).text == text


@pytest.mark.parametrize("width", [30, 50, 80, 120])
def test_lines_fit_the_terminal(width: int) -> None:
    for parts in list_parts().values():
        longest = max(len(part.name) for part in parts)
        for part in parts:
            shown = list(lines(part, longest, width))
            assert max(map(len, shown)) <= width
            words = " ".join(" ".join(shown).split())
            assert words.startswith(part.name)
            assert " ".join(part.formula.split()) in words
            assert all(option.text in words for option in part.options)


BESIDE = [(kind, name) for kind in ("losses", "optimizers", "schedules") for name in KINDS[kind]]


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, name in BESIDE if beside(kind, name)])
def test_what_stands_beside_the_factories_is_an_option_of_the_config(
    kind: str, name: str, tmp_path: Path
) -> None:
    """These options with their defaults are taken, and are what holds where they are not given."""
    loss = name if kind == "losses" else "half_squared_error"
    output = losses.get(loss)().output or "identity"
    text = (
        f"data: {{train: a.csv, target: y}}\nnetwork: {{sizes: [2, 3, 2], activations: [tanh, {output}]}}\n"
    )
    text += "training: {mode: batch}\n" + ("" if kind == "losses" else f"loss: {loss}\n")
    key = {"losses": "loss", "optimizers": "optimizer", "schedules": "schedule"}[kind]
    given = ", ".join(f"{option}: {written(of.default)}" for option, of in beside(kind, name).items())
    plain = load(tmp_path, f"{text}{key}: {name}")
    told = load(tmp_path, f"{text}{key}: {{name: {name}, {given}}}")
    assert told.config == plain.config
