"""Where the data of a run lies now: a project that was moved or copied takes its runs along.

The `config.yaml` of a run has absolute paths. Where one of them is gone, the file is looked for

1. below --data-root, else below `data.root` of the config: by the path as it was written, and then by less and less of
   its beginning, so that data/parts/a.csv is also found as parts/a.csv and as a.csv;
2. where it lay as seen from the run, which has moved with it.

`run.json` keeps what that takes. The first file with the digest that the run keeps is the one; any other file is
refused, since rows called "test" might have been trained on.
"""

import glob
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from bptrain.config import Loaded
from bptrain.config.resolved import data_paths, resolve_path, with_data_paths
from bptrain.data.joined_files import is_pattern, source_of_paths
from bptrain.errors import CheckpointError, DataError, Problem
from bptrain.store.run_directory import RunDirectory

Paths = tuple[str, ...]  # of one role: files and patterns
SHORT = 8  # digits of a digest in messages


class RunOrigin(NamedTuple):
    """Where a run was made, and the paths of its data as they were written."""

    run: str | None = None  # its directory then; None: not known
    written: Mapping[str, Paths] = {}  # role -> paths

    @classmethod
    def of(cls, run: RunDirectory) -> "RunOrigin":
        """What run.json says; runs of earlier versions, and damaged ones, say nothing."""
        try:
            paths = run.read_record()["paths"]
            written = {role: tuple(map(str, found)) for role, found in paths["written"].items()}
            return cls(str(paths["run"]), written)
        except (CheckpointError, KeyError, TypeError, AttributeError):
            return cls()


def origin_record(run: RunDirectory, loaded: Loaded) -> dict[str, Any]:
    """`paths` of run.json: where the run and its config are, and the paths of data as they were written."""
    written = {role: list(paths) for role, paths in loaded.written_paths.items()}
    return {
        "run": os.path.realpath(run.path),
        "config": os.path.realpath(loaded.path.parent),
        "written": written,
    }


class Search(NamedTuple):
    """A search for the data of one run."""

    run: Path  # where it lies now
    origin: RunOrigin
    digests: Mapping[str, str]  # role -> SHA-256 of the data that it was trained on
    root: Path | None = None  # --data-root

    def found(self, loaded: Loaded, trusting: bool = True) -> Loaded:
        """The config with the paths at which its data lies now.

        A file at its absolute path is taken for what it was, unless not `trusting`. Raises DataError where a file is
        gone, or only others of its name are there.
        """
        config = loaded.absolute()
        there = data_paths(config)
        moved = {
            role: self._of_role(role, paths, config.data.root, trusting) for role, paths in there.items()
        }
        if moved == there:
            return loaded
        return loaded._replace(config=with_data_paths(config, moved), written=self.origin.written or there)

    def _of_role(self, role: str, absolute: Paths, root: str | None, trusting: bool) -> Paths:
        """The paths of one role. Raises DataError."""
        wanted, others = self.digests.get(role), []
        if wanted is None or (trusting and self.root is None and all(map(is_there, absolute))):
            return absolute
        for paths in self._candidates(role, absolute, root):
            if not all(map(is_there, paths)):
                continue
            if trusting and paths == absolute:
                return paths
            digest = digest_of(paths, role)
            if digest == wanted:
                return paths
            others.append((paths, digest))
        raise DataError(self._refusal(role, absolute, wanted, others[:1]))

    def _candidates(self, role: str, absolute: Paths, root: str | None) -> Iterator[Paths]:
        """Where the files may be, the likeliest places first."""
        written = self.origin.written.get(role, absolute)
        if len(written) != len(absolute):  # run.json was written by hand
            written = absolute
        below = self.root or root
        if self.root is None:
            yield absolute
        if below is not None:
            for paths in shorter_and_shorter(written):
                yield instead(absolute, tuple(str(resolve_path(path, below)) for path in paths))
        if self.origin.run is not None:
            here = os.path.realpath(self.run)
            seen_from_run = (os.path.relpath(path, self.origin.run) for path in absolute)
            yield instead(
                absolute, tuple(os.path.normpath(os.path.join(here, path)) for path in seen_from_run)
            )
        if self.root is not None:
            yield absolute

    def _refusal(self, role: str, absolute: Paths, wanted: str, others: list[tuple[Paths, str]]) -> Problem:
        """Why there is no data for a role."""
        cure = "--data-root DIR says where the original lies now"
        for paths, digest in others:
            found = f"{role}: {named(paths)} has SHA-256 {digest[:SHORT]}…, not {wanted[:SHORT]}… as then"
            changed = f"the data of {self.run} has changed since it was trained"
            message = f"{changed}, so the split cannot be reproduced ({found}); {cure}"
            return Problem("changed_data", message)
        written = named(self.origin.written.get(role, absolute))
        gone = f"no such file: {named(absolute)}, written as {written}"
        if self.root is not None:
            cure = f"nor is it below {self.root}" + ("" if self.root.is_dir() else ", which is no directory")
        message = f"the {role} data of {self.run} is gone: {gone}; {cure}"
        return Problem("file_not_found", message)


def is_there(path: str) -> bool:
    """Whether there is a file, or one that a pattern matches."""
    if is_pattern(Path(path)):
        return any(map(os.path.isfile, glob.iglob(path)))
    return os.path.isfile(path)


def digest_of(paths: Paths, role: str) -> str:
    """The digest of the files of a role as a run keeps it. Raises DataError."""
    return source_of_paths([Path(path) for path in paths]).digests(role)[role]


def shorter_and_shorter(written: Paths) -> Iterator[Paths]:
    """Paths as they were written, and then without the first, the first two … of their directories."""
    if not any(PurePath(path).is_absolute() for path in written):
        yield written
    parts = [
        [part for part in PurePath(path).parts if part != ".." and part != PurePath(path).anchor]
        for path in written
    ]
    for drop in range(max(map(len, parts))):
        yield tuple(os.path.join(*each[min(drop, len(each) - 1) :]) for each in parts)


def instead(absolute: Paths, candidates: Paths) -> Paths:
    """The candidates, and in place of one that is not there the file that has not moved."""
    return tuple(
        new if is_there(new) or not is_there(old) else old
        for old, new in zip(absolute, candidates, strict=True)
    )


def named(paths: Paths) -> str:
    """Paths in a sentence."""
    return paths[0] + (f" and {len(paths) - 1} more" if paths[1:] else "")
