"""What `bptrain config show` prints: the resolved config, and where each of its values comes from."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bptrain.config import load_config
from bptrain.config.origins import ResolvedValue, resolved_values
from bptrain.config.resolved import in_one_line, to_plain


class ResolvedConfig(NamedTuple):
    """A resolved config."""

    config: dict[str, Any]  # plain, with absolute paths of data
    values: tuple[ResolvedValue, ...]

    def record(self) -> dict[str, Any]:
        """The fields of the command's JSON."""
        return {"config": self.config, "origins": {value.key: value.record() for value in self.values}}


def resolve(config: Path, overrides: Sequence[str] | Mapping[str, Any] = ()) -> ResolvedConfig:
    """A config with every default filled in; its data is not read. Raises UsageError."""
    loaded = load_config(config, overrides)
    plain = to_plain(loaded.absolute())
    return ResolvedConfig(plain, tuple(resolved_values(plain, loaded.document)))


def yaml_lines(shown: ResolvedConfig) -> list[tuple[str, str]]:
    """The config as lines of YAML, each with where its value comes from."""
    lines: list[tuple[str, str]] = []
    open_sections: tuple[Any, ...] = ()
    for value in shown.values:
        *sections, key = value.path
        for depth, section in enumerate(sections):
            if open_sections[: depth + 1] != tuple(sections[: depth + 1]):
                lines.append((f"{'  ' * depth}{in_one_line(section)}:", ""))
        open_sections = tuple(sections)
        lines.append((f"{'  ' * len(sections)}{in_one_line(key)}: {in_one_line(value.value)}", value.origin))
    return lines
