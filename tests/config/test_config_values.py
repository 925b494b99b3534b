"""Configs that are right: values, defaults, parts, positions, and the way back to YAML."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import yaml
from annotated_types import Interval
from pydantic import ValidationError

from bptrain.config import PartConfig, dump_yaml, from_plain, load_config, to_plain
from bptrain.config.document import load_text
from bptrain.errors import UsageError
from bptrain.parts.activations import Activation, activations
from bptrain.parts.activations.outputs import identity
from bptrain.parts.optimizers import Optimizer, gradient_descent, optimizers
from config.helpers import GOOD, file_of, load, problems

MINIMAL = "data: {train: a.csv, target: y}\nnetwork: {sizes: [auto, 16, auto]}\nloss: half_squared_error\n"


def test_defaults_are_those_of_the_design(tmp_path: Path) -> None:
    config = load(tmp_path, MINIMAL).config
    assert (config.format, config.seed, config.task, config.metrics) == (1, 0, "auto", None)
    assert config.loss == PartConfig("half_squared_error", {}, {"reduction": "mean", "class_weight": None})
    assert config.optimizer == PartConfig("gradient_descent", {"learning_rate": 0.1}, {"weight_decay": 0.0})
    assert config.schedule == PartConfig("constant", {}, {"warmup": 0.0})
    data, network, training = config.data, config.network, config.training
    assert (file_of(data.train).inputs, file_of(data.train).target) == (("a.csv",), None)
    assert (data.target, data.features) == (("y",), "all")
    assert (data.scale, data.scale_target) == (PartConfig("standard", {}), PartConfig("auto", {}))
    assert (data.shares, data.split.stratify, data.missing) == ((0.15, 0.15), "auto", "error")
    assert (network.sizes, network.layers, network.activations) == (("auto", 16, "auto"), 2, None)
    assert (network.bias, network.dtype) == ((True, True), "float32")
    assert network.initializer == (PartConfig("auto", {}),) * 2
    assert (training.mode, training.batch_size, training.epochs) == ("minibatch", 32, 100)
    assert (training.engine, training.threads, training.shuffle) == ("auto", None, True)
    every = config.checkpoint.every
    assert (every.epochs, every.seconds, config.checkpoint.keep) == (None, None, 2)


def test_a_config_is_frozen(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD).config
    with pytest.raises(ValidationError):
        config.seed = 3


def test_options_of_parts_are_filled_in_and_whole_numbers_become_floats(tmp_path: Path) -> None:
    text = MINIMAL + "optimizer: {name: adam, learning_rate: [1, 0.5]}\nschedule: {floor: 1, name: cosine}\n"
    config = load(tmp_path, text.replace("y}", "y, scale: {name: minmax, low: 0, high: 255}}")).config
    assert config.optimizer.options == {
        "learning_rate": (1.0, 0.5), "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8,
    }  # fmt: skip
    assert config.data.scale == PartConfig("minmax", {"low": 0.0, "high": 255.0, "to": (0.0, 1.0)})
    assert all(type(value) is float for value in config.schedule.options.values())


def test_a_mapping_without_a_name_is_the_default_part(tmp_path: Path) -> None:
    text = MINIMAL + "optimizer: {learning_rate: 0.5}\n"
    assert load(tmp_path, text).config.optimizer == PartConfig(
        "gradient_descent", {"learning_rate": 0.5}, {"weight_decay": 0.0}
    )


def test_batch_size_applies_in_minibatch_mode_only(tmp_path: Path) -> None:
    assert load(tmp_path, MINIMAL + "training: {mode: batch}\n").config.training.batch_size is None
    assert load(tmp_path, MINIMAL + "training:\n").config.training.batch_size == 32


def test_a_file_replaces_its_share(tmp_path: Path) -> None:
    text = MINIMAL.replace("y}", "y, test: t.csv, split: {validation: 0.9, test: 0.9}}")
    config = load(tmp_path, text).config
    assert config.data.shares == (0.9, 0.0)


def test_per_layer_options_take_one_value_or_a_list(tmp_path: Path) -> None:
    network = "network: {sizes: [2, 3, 1], activations: {name: leaky_relu, slope: 0}, bias: [0.5, false]}\n"
    config = load(tmp_path, MINIMAL.replace("network: {sizes: [auto, 16, auto]}\n", network)).config
    assert config.network.activations == (PartConfig("leaky_relu", {"slope": 0.0}),) * 2
    assert config.network.bias == (0.5, False)


def test_a_part_that_is_registered_now_is_validated_by_its_signature(tmp_path: Path) -> None:
    @activations.add("test_part")
    def made(
        k: Annotated[int, Interval(ge=1, le=9)],
        how: Literal["soft", "hard"] = "soft",
        copy: bool = False,
        rates: float | tuple[float, ...] | Literal["auto"] = "auto",
        model_size: int | None = None,
    ) -> Activation:
        """A part with options of every kind, some named like methods of pydantic."""
        if copy and how == "hard":
            raise ValueError("copy is soft")
        return identity()

    def wrong(options: str) -> list[tuple[str, str, str | None]]:
        text = MINIMAL.replace("auto]", f"auto], activations: [tanh, {{name: test_part, {options}}}]")
        return [(p.code, p.path, p.suggestion) for p in problems(tmp_path, text)]

    try:
        assert wrong("k: 1, rates: [1, 2], copy: true") == []
        assert wrong("k: 1, rates: 3, model_size: 4") == []
        prefix = "network.activations.1"
        assert wrong("how: soft") == [("missing_key", f"{prefix}.k", None)]
        assert wrong("k: 10") == [("out_of_range", f"{prefix}.k", None)]
        assert wrong("k: 1, how: Hard") == [("wrong_choice", f"{prefix}.how", "hard")]
        assert wrong("k: 1, rates: [1, x]") == [("wrong_type", f"{prefix}.rates.1", None)]
        assert wrong("k: 1, rates: car") == [("wrong_choice", f"{prefix}.rates", None)]
        assert wrong("k: 1, hwo: soft") == [("unknown_key", f"{prefix}.hwo", "how")]
        assert wrong("k: 1, copy: true, how: hard") == [("part_options", prefix, None)]
        text = MINIMAL.replace("auto]", "auto], activations: {name: test_part, k: 3}")
        options = {"k": 3, "how": "soft", "copy": False, "rates": "auto", "model_size": None}
        assert load(tmp_path, text).config.network.activations == (PartConfig("test_part", options),) * 2
        assert made(k=1)
    finally:
        activations.remove("test_part")
    assert problems(tmp_path, text)[0].code == "wrong_choice"


def test_a_name_given_to_another_part_has_the_new_options(tmp_path: Path) -> None:
    def first(one: float = 1.0) -> Optimizer:
        return gradient_descent()

    def second(two: float = 1.0) -> Optimizer:
        return gradient_descent()

    for option, factory in {"one": first, "two": second}.items():
        optimizers.add("test_rule")(factory)
        try:
            config = load(tmp_path, MINIMAL + f"optimizer: {{name: test_rule, {option}: 2}}\n").config
        finally:
            optimizers.remove("test_rule")
        assert config.optimizer.options == {option: 2.0}


def test_a_key_is_located_for_later_stages(tmp_path: Path) -> None:
    loaded = load(tmp_path, GOOD, ["training.epochs=3"])
    file = str(tmp_path / "config.yaml")
    assert loaded.locate("data.target") == (file, 3, 11, "  target: species")
    assert loaded.locate("network.sizes.1") == (file, 5, 14, "  sizes: [4, 16, 3]")
    assert loaded.locate("data.features") == (file, 1, 1, "data:")
    assert loaded.locate("schedule") == (file, 1, 1, "data:")
    assert loaded.locate("training.epochs") == ("--set", None, None, None)


NAMES = '"no", "1e3", "null", "0o17", "é: x", " ", "#", "true", "0x1f", "1:30"'
MORE_NAMES = '".5", "x\\ty\\n", "=", "<<", "010", "1_0", ".inf", "~", "-", "2024-01-02", "a: b", "\\u2028"'
ROUND = [
    MINIMAL,
    GOOD,
    MINIMAL + "training: {mode: sgd, epochs: 3, threads: 4}\n",
    MINIMAL + "optimizer: {name: adam, learning_rate: [1e-3, 1e-5]}\n",
    MINIMAL.replace("y}", "y, scale: {name: minmax, high: 255}}"),
    MINIMAL.replace("y}", "y, scale_target: {name: minmax, to: [0.1, 0.9]}}"),
    MINIMAL.replace("y}", f"y, features: [{NAMES}], exclude: [{MORE_NAMES}]}}"),
    MINIMAL.replace("target: y}", f"target: [{NAMES}]}}").replace("16, auto", "16, 10"),
    MINIMAL.replace("y}", "y, columns: {no: numeric}, missing: {yes: drop}, exclude: [on, off]}"),
    MINIMAL.replace(
        "a.csv, target: y", "{inputs: ../x.npy, target: y.npy}, test: {inputs: a.npy, target: b.npy}"
    ),
    MINIMAL.replace("a.csv, target: y", "x.idx.gz, target: sub/y.idx.gz"),
    MINIMAL.replace("a.csv, target: y", "/abs/x.npz, features: X2"),
    MINIMAL.replace("auto]", "auto], activations: [relu, {name: leaky_relu, slope: 0.2}], bias: [true, 1.0]"),
    MINIMAL.replace("auto]", "auto], initializer: [{name: normal, std: 0.1}, auto], dtype: float64"),
    MINIMAL + "checkpoint: {every: {seconds: 30}, keep: 5}\nmetrics: [rmse, {name: mae}]\n",
    MINIMAL
    + "checkpoint: {every: {epochs: 3}}\nmetrics: []\nschedule: {name: cosine, floor: 0.1, warmup: 1.5}\n",
    MINIMAL + "optimizer: adamw\nschedule: {name: one_cycle, peak: 0.1}\n",
    MINIMAL + "optimizer: {name: rprop, variant: plus, weight_decay: 1e-4}\ntraining: {mode: batch}\n",
    MINIMAL.replace("half_squared_error", "{name: half_squared_error, reduction: sum}"),
    MINIMAL + "seed: 9223372036854775807\n",
]


@pytest.mark.parametrize("text", ROUND)
def test_a_resolved_config_runs_again_as_it_is(text: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    config = load(tmp_path / "in", text).absolute()
    plain = to_plain(config)
    again = load(tmp_path, dump_yaml(plain))
    assert again.config == config
    assert again.absolute() == config
    assert load_text(dump_yaml(plain), "f").value == plain
    assert to_plain(again.config) == plain
    assert from_plain(plain, "checkpoint") == config
    assert yaml.safe_load(dump_yaml(plain)) is not None  # YAML 1.1 reads it too
    assert all(Path(path).is_absolute() for path in file_of(config.data.train).inputs)


def test_resolved_has_what_applies_in_the_mode(tmp_path: Path) -> None:
    plain = to_plain(load(tmp_path, MINIMAL + "training: {mode: batch}\n").absolute())
    assert "batch_size" not in plain["training"]
    assert plain["data"]["train"] == str(tmp_path / "a.csv")
    assert plain["data"]["target"] == "y"
    assert plain["optimizer"] == {"name": "gradient_descent", "learning_rate": 0.1, "weight_decay": 0.0}
    assert plain["schedule"] == {"name": "constant", "warmup": 0.0}
    assert plain["network"]["bias"] is True
    assert plain["metrics"] == plain["checkpoint"]["every"] == "auto"
    assert "activations" not in plain["network"]


def test_paths_are_relative_to_the_config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "c.yaml").write_text(MINIMAL.replace("a.csv", "../data/a.csv"))
    monkeypatch.chdir(tmp_path / "configs")
    loaded = load_config("c.yaml")
    assert file_of(loaded.config.data.train).inputs == ("../data/a.csv",)
    assert file_of(loaded.absolute().data.train).inputs == (str(tmp_path / "data" / "a.csv"),)
    assert loaded.absolute().data.target == ("y",)


def test_a_path_through_links_in_a_loop_stays_one(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    loaded = load(tmp_path, MINIMAL.replace("a.csv", "loop/a.csv"))
    assert file_of(loaded.absolute().data.train).inputs == (str(tmp_path / "loop" / "a.csv"),)


def test_from_plain_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        from_plain({"loss": "cross_entropy", "seed": -1}, "best.safetensors")
    assert {problem.file for problem in caught.value.problems} == {"best.safetensors"}


@pytest.mark.parametrize("value", [{}, {"seed": [1]}, {"data": {}, "network": {"sizes": {}}}])
def test_from_plain_refuses_anything(value: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        from_plain(value, "f")
