"""The oldest versions that pyproject.toml allows, as constraints for pip: writes dev/floors.txt."""

import re
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "dev" / "floors.txt"
MADE = "# made by dev/floors.py from pyproject.toml; change that, then run `python dev/generate.py`"
REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)>=(?P<floor>[\w.]+)(?P<marker> *;.*)?")


def floors(project: dict[str, Any]) -> str:
    """One line per dependency of the package and of its extras: `name==floor`, with the marker that it has.

    Raises ValueError for a dependency without a floor.
    """
    lines = []
    for requirement in chain(project["dependencies"], *project["optional-dependencies"].values()):
        if requirement.startswith(f"{project['name']}["):  # an extra that includes another one
            continue
        match = REQUIREMENT.fullmatch(requirement)
        if match is None:
            raise ValueError(f"pyproject.toml: {requirement!r} is not of the form NAME>=VERSION")
        lines.append(f"{match['name']}=={match['floor']}{match['marker'] or ''}")
    return "\n".join([MADE, *sorted(lines, key=str.lower)]) + "\n"


def project() -> dict[str, Any]:
    """The table `project` of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


if __name__ == "__main__":
    PLACE.write_text(floors(project()), encoding="utf-8")
