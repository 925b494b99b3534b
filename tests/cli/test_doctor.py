"""`bptrain doctor`: what it looks at, and that it notices what is wrong."""

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bptrain.caches import VARIABLE
from bptrain.commands import doctor
from bptrain.engines import registry
from bptrain.errors import StorageError
from bptrain.parts.activations import Activation, activations
from command import bptrain
from conftest import ROOT


def findings(outcome: Any) -> dict[str, Any]:
    return {finding["topic"]: finding for finding in outcome.json["findings"]}


def test_a_sound_installation(workplace: Path) -> None:
    outcome = bptrain("doctor", "--json")
    assert outcome.code == 0, outcome.out
    found = findings(outcome)
    assert list(found) == ["versions", "blas", "threads", "extras", "disk", "cache", "self-test"]
    assert found["versions"]["facts"]["numpy"] == np.__version__
    assert found["blas"]["facts"]["libraries"][0]["architecture"]
    assert found["disk"]["facts"]["fsync_seconds"] > 0
    assert found["self-test"]["facts"]["networks"] > 20
    assert found["self-test"]["facts"]["max_relative_error"] < 1e-12
    assert list(workplace.iterdir()) == []  # it leaves nothing


def test_a_wrong_gradient_is_a_failure(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = activations.get("tanh")

    def wrong() -> Activation:
        return right()._replace(df=lambda z, x: 1.0 - 0.999 * x * x)

    monkeypatch.setitem(activations._factories, "tanh", wrong)
    monkeypatch.setattr(doctor, "EVERY", 5)
    outcome = bptrain("doctor", "--json")
    assert outcome.code == 1
    assert outcome.json["ok"] is False
    found = findings(outcome)["self-test"]
    assert found["status"] == "failure"
    assert all(parts.startswith("tanh") for parts in found["facts"]["failed"])
    assert found["facts"]["failed"]


def test_a_disk_that_cannot_be_written_to(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: list[bytes]) -> None:
        raise StorageError("no space left on device")

    monkeypatch.setattr(doctor, "write_atomically", full)
    found = doctor.disk(workplace)
    assert found.status == "warning"
    assert "no space left" in found.text
    assert found.advice


def test_a_slow_disk(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "write_seconds", lambda place: 2.0)
    assert doctor.disk(workplace).status == "note"


def test_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "installed", lambda name: None)
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    extras = {next(iter(found.facts)): found for found in doctor.extras()}
    for name in ("fast", "tables"):
        assert extras[name].status == "note"
        assert extras[name].advice == f"pip install 'bptrain[{name}]'"
    assert doctor.versions().status == "failure"
    assert doctor.cache().status == "ok"


@pytest.mark.parametrize("kind", ["", "kernels"], ids=["all", "kernels"])
def test_a_cache_that_cannot_be_read(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "cache" / kind
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("a file in place of the directory")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    found = doctor.cache()
    assert found.status == "warning"
    assert "cannot be read: Not a directory" in found.text
    assert found.advice is not None
    assert VARIABLE in found.advice


def test_the_doctor_survives_a_cache_that_it_may_not_look_for(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a directory that belongs to another user, a name that is too long cannot even be asked for."""
    monkeypatch.setattr(doctor, "EVERY", 500)
    monkeypatch.setenv("XDG_CACHE_HOME", f"/{'x' * 300}")
    monkeypatch.setenv(VARIABLE, "")
    outcome = bptrain("doctor", "--json")
    assert outcome.code == 0, outcome.out
    assert findings(outcome)["cache"]["status"] == "warning"
    assert findings(outcome)["self-test"]["status"] == "ok"


def test_the_cache_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert doctor.cache().text == f"{tmp_path}: nothing is stored there yet"
    for name in ("a", "b"):
        (tmp_path / "kernels" / name).mkdir(parents=True)
        (tmp_path / "kernels" / name / "kernel.py").write_bytes(bytes(50_000))
    found = doctor.cache()
    assert found.text == f"{tmp_path}: 2 compiled loops, 0.1 MB"
    assert found.facts["directory"] == str(tmp_path / "kernels")
    assert (found.facts["kernels"], found.facts["bytes"]) == (2, 100_000)
    entry = tmp_path / "data" / ("0" * 32)
    entry.mkdir(parents=True)
    (entry / "train.X").write_bytes(bytes(2_000_000))
    found = doctor.cache()
    assert found.text.endswith("; converted data, 2.0 MB (bptrain data cache list)")
    assert found.facts["data"] == {"directory": str(tmp_path / "data"), "entries": 1, "bytes": 2_000_000}
    (tmp_path / "kernels").chmod(0o777)
    assert doctor.cache().status == "warning"


def test_more_threads_than_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "blas", lambda scipy: [{"num_threads": 999}])
    monkeypatch.setenv("OMP_NUM_THREADS", "999")
    found = doctor.threads()
    assert found.status == "warning"
    assert "OMP_NUM_THREADS=999" in found.text


def test_it_knows_the_packages_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    def names(requirements: list[str]) -> set[str]:
        return {requirement.split(">")[0].split(";")[0].strip() for requirement in requirements}

    assert set(doctor.CORE) == names(project["dependencies"])
    extras = {name: names(of) for name, of in project["optional-dependencies"].items() if name != "dev"}
    assert {extra.name: set(extra.packages) for extra in doctor.all_extras()} == extras


def test_in_words(workplace: Path) -> None:
    shown = bptrain("doctor")
    assert shown.code == 0
    assert "self-test: the gradients of" in shown.out
    assert shown.out.splitlines()[-1].startswith("bptrain is ready")
