"""`prepared.json`: all of a prepared data set but its arrays."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import bptrain
from bptrain.data.converted.array_files import ArrayForm
from bptrain.data.prepared import Prepared, ReadingNotes, Rows
from bptrain.data.schema import Schema
from bptrain.errors import Warned
from bptrain.parts.types import Array

FORMAT = 1  # of an entry; one of another format, or of another version of bptrain, is not used
ARRAYS = ("X", "T", "y_true", "row_index", "sample_weight", "row_weight", "groups")  # the fields of Rows
SPLITS = ("train", "validation", "test")
Forms = Mapping[str, Mapping[str, ArrayForm]]  # split -> field -> what its file holds


class OtherVersionError(ValueError):
    """Another version of bptrain has written this."""


class EntryRecord(NamedTuple):
    """What an entry says of itself."""

    source: str  # what the data was called
    version: str  # of bptrain
    forms: Forms
    content: Mapping[str, Any]  # all of it

    @property
    def size(self) -> int:
        """Bytes of the arrays."""
        return sum(form.size for of_split in self.forms.values() for form in of_split.values())

    @property
    def rows(self) -> dict[str, int]:
        """The rows of each split."""
        return {split: of_split["X"].shape[0] for split, of_split in self.forms.items()}

    @property
    def schema(self) -> dict[str, Any]:
        """The schema as JSON."""
        schema: dict[str, Any] = self.content["schema"]
        return schema

    @classmethod
    def of(cls, prepared: Prepared, source: str, forms: Forms) -> "EntryRecord":
        """That of a data set whose arrays are written."""
        again = prepared.read_again or ReadingNotes(prepared.notes, prepared.warnings)
        content = {
            "format": FORMAT,
            "bptrain": bptrain.__version__,
            "source": source,
            "schema": prepared.schema.to_json(),
            "digest": prepared.digest,
            "notes": prepared.notes,
            "warnings": prepared.warnings,
            "how_split": prepared.how_split,
            "read_again": again._asdict(),
            "splits": {
                split: {
                    "notes": prepared.splits[split].notes,
                    "arrays": {field: form.to_json() for field, form in of_split.items()},
                }
                for split, of_split in forms.items()
            },
        }
        return cls(source, bptrain.__version__, forms, content)

    def to_bytes(self) -> bytes:
        """The file: the record, and its digest."""
        return json.dumps({"sha256": digest_of(self.content), "prepared": self.content}).encode()

    @classmethod
    def from_bytes(cls, text: bytes) -> "EntryRecord":
        """What `to_bytes` wrote. Raises OtherVersionError, and ValueError for anything else."""
        try:
            file = json.loads(text)
            content = file["prepared"]
            if digest_of(content) != file["sha256"]:
                raise ValueError("prepared.json is not what was written")
            written = str(content["bptrain"])
            if content["format"] != FORMAT or written != bptrain.__version__:
                raise OtherVersionError(f"written by bptrain {written}")
            forms = {split: _forms(of_split["arrays"]) for split, of_split in content["splits"].items()}
            source = str(content["source"])
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"prepared.json is damaged: {error}") from None
        if not {*forms} <= {*SPLITS}:
            raise ValueError("prepared.json is damaged: unknown splits")
        return cls(source, written, forms, content)

    def prepared(self, array: Callable[[str, str, ArrayForm], Array]) -> Prepared:
        """The data set, whose arrays are those of (split, field, form). Raises ValueError."""
        content = self.content
        splits = {}
        for split, of_split in self.forms.items():
            arrays = {field: array(split, field, form) for field, form in of_split.items()}
            splits[split] = Rows(**arrays, notes=tuple(content["splits"][split]["notes"]))
        try:
            again = content["read_again"]
            return Prepared(
                Schema.from_json(content["schema"]),
                splits,
                dict(content["digest"]),
                tuple(content["notes"]),
                _warnings(content["warnings"]),
                str(content["how_split"]),
                ReadingNotes(tuple(again["notes"]), _warnings(again["warnings"])),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"prepared.json is damaged: {error}") from None


def _forms(arrays: Mapping[str, Any]) -> dict[str, ArrayForm]:
    """Field -> form. Raises KeyError, TypeError or ValueError."""
    forms = {field: ArrayForm.from_json(form) for field, form in arrays.items()}
    if not {*ARRAYS[:4]} <= {*forms} <= {*ARRAYS} or len({form.shape[0] for form in forms.values()}) != 1:
        raise ValueError("prepared.json is damaged: other arrays")
    return forms


def _warnings(found: Any) -> tuple[Warned, ...]:
    return tuple(Warned(str(name), str(message)) for name, message in found)


def arrays_of(rows: Rows) -> Iterator[tuple[str, Array]]:
    """The arrays that a split has, by their fields."""
    for field in ARRAYS:
        array = getattr(rows, field)
        if array is not None:
            yield field, array


def digest_of(content: Any) -> str:
    """SHA-256 of plain JSON types, in hex."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
