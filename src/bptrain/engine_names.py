"""The engines by name, without loading any of them: what the config, `--engine` and completion offer.

An engine is a file `engines/<name>_engine.py` whose first line reads: The engine `<name>`: what it is. NumPy's comes
first; the others follow in alphabetical order. What else is known of an engine is in its `ENTRY`: see
`engines/registry.py`.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

NUMPY = "numpy"  # the engine of every installation
SUFFIX = "_engine.py"


def engine_descriptions() -> dict[str, str]:
    """What each engine is, in a few words, by name."""
    spec = find_spec("bptrain.engines")  # which does not load it
    assert spec is not None
    files = [
        file for place in spec.submodule_search_locations or () for file in Path(place).glob(f"*{SUFFIX}")
    ]
    files.sort(key=lambda file: (file.name != f"{NUMPY}{SUFFIX}", file.name))
    return {file.name.removesuffix(SUFFIX): _description(file) for file in files}


def _description(file: Path) -> str:
    with file.open(encoding="utf-8") as text:
        return text.readline().strip().strip('"').partition(": ")[2].rstrip(".")


def engine_names() -> tuple[str, ...]:
    """The names of the engines."""
    return tuple(engine_descriptions())


# The types of what names an engine: `training.engine`, and `--engine` of gradcheck.
if TYPE_CHECKING:
    EngineSetting = str
    EngineToCheck = str
else:
    EngineSetting = Literal[("auto", *engine_names())]
    EngineToCheck = Literal[(*engine_names(), "all")]
