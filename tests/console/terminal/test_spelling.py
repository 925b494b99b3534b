"""Signs that the output's encoding lacks are spelled, so that a page can be read under cp1252 and ASCII too."""

import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from bptrain.console.terminal.spelling import SPELLED, SPELLING
from bptrain.parts.describe import KINDS
from command import SCRIPT
from conftest import ROOT


def printed(encoding: str, *arguments: str) -> str:
    """What `bptrain ARGUMENTS` prints where the streams have an encoding."""
    command = [sys.executable, "-c", SCRIPT, *arguments]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(command, capture_output=True, check=True, env=environment)
    return (done.stdout + done.stderr).decode(encoding)


def test_the_derivation_under_cp1252() -> None:
    page = printed("cp1252", "explain", str(ROOT / "configs" / "derivation.yaml"))
    assert "\\u" not in page
    lines = {" ".join(line.split()) for line in page.splitlines()}
    assert "4 -> 5 -> 3 -> 2: L = 3 layers, sigmoid, 41 parameters" in lines
    assert "delta_3 = (x_3 - t) o f_3'(z_3) 2×1 = 2×1 o 2×1" in lines
    assert "dE/dW_3 = delta_3 x_2^T 2×3 = 2×1 · 1×3" in lines
    assert "W_3 <- W_3 - alpha_3 o dE/dW_3, alpha_3 = 0.1 2×3 - 2×3" in lines
    assert "E = ½ ||x - t||², x = x_3 1×1 of 2×1 and 2×1" in lines


def test_shapes_stand_below_one_another_in_ascii() -> None:
    page = printed("ascii", "explain", str(ROOT / "configs" / "wine.yaml"))
    forward = page.partition("Forward\n")[2].partition("\n\n")[0].splitlines()
    assert len({line.rindex(" 10x1 =") for line in forward if " 10x1 =" in line}) == 1
    assert "  z_1 = W_1 x_0 + b_1" in page


CONFIGS = sorted(config.name for config in (ROOT / "configs").glob("*.yaml") if config.name != "mnist.yaml")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.slow
def test_every_page_and_list_can_be_read(encoding: str, iris: Path) -> None:
    from bptrain.commands.explain import explain

    said = [explain(ROOT / "configs" / name) for name in CONFIGS]
    text = "\n".join(line.equation + line.shapes for page in said for s in page.sections for line in s.lines)
    assert "\\" not in text.encode(encoding, SPELLED).decode(encoding)
    for arguments in (["list"], ["validate", str(iris)], ["list", "optimizers"], ["doctor"]):
        assert "\\u" not in printed(encoding, *arguments)
        assert "\\x" not in printed(encoding, *arguments)


def test_every_equation_can_be_spelled() -> None:
    for registry in KINDS.values():
        for name in registry:
            for line in registry.equations(name):
                assert "\\" not in line.encode("ascii", SPELLED).decode("ascii"), line


def test_every_sign_in_the_source_has_a_spelling() -> None:
    """But for letters of names, such as ü, which are a number in ASCII and themselves in cp1252."""
    text = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "src").rglob("*.py"))
    missing = {sign for sign in set(text) - SPELLING.keys() if not sign.isascii()}
    assert missing <= set("éöüøÅ")


def test_what_is_spelled_is_ascii_and_not_the_sign_itself() -> None:
    for sign, spelled in SPELLING.items():
        assert len(sign) == 1
        assert unicodedata.decomposition(sign)[:1] in ("", "<"), "a letter of names, which has an accent"
        assert not sign.isascii()
        assert spelled.isascii()


def test_what_has_no_spelling_is_a_number() -> None:
    assert "Ж → α é".encode("ascii", SPELLED) == b"\\u0416 -> alpha \\xe9"


def test_accented_letters_of_names_are_numbers_like_all_others() -> None:
    """A hat over a letter that stands alone is one of ours; within a word it is a name, in one sign or in two."""
    for name in ("août", "aou\u0302t", "\u0177", "5 \xb5m", "T\u0304okyo"):
        shown = name.encode("ascii", SPELLED).decode("ascii")
        assert shown == name.encode("ascii", "backslashreplace").decode("ascii")
    assert "√u\u0302 + w\u0304".encode("ascii", SPELLED) == b"sqrt u_hat + w_bar"


def test_json_is_the_same_in_every_encoding(iris: Path) -> None:
    pages = [json.loads(printed(encoding, "explain", str(iris), "--json")) for encoding in ("utf-8", "ascii")]
    assert pages[0] == pages[1]
    assert "∂E/∂W_1" in json.dumps(pages[0], ensure_ascii=False)
