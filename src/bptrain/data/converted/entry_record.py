"""`prepared.json`: all of a prepared data set but its arrays, as it is read by its schema.

What is noted where the schema is found, and not known, stands in a file of its own, under the key of what was asked:
another config may come to the same schema.
"""

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
            "how_split": prepared.how_split,
            "notes": again.notes,
            "warnings": again.warnings,
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
        return sealed(self.content)

    @classmethod
    def from_bytes(cls, text: bytes) -> "EntryRecord":
        """What `to_bytes` wrote. Raises OtherVersionError, and ValueError for anything else."""
        try:
            content = unsealed(text)
        except (KeyError, TypeError, RecursionError, ValueError):
            raise ValueError("prepared.json is not what was written") from None
        try:
            written = str(content["bptrain"])
            if content["format"] != FORMAT or written != bptrain.__version__:
                raise OtherVersionError(f"written by bptrain {written}")
            forms = {split: _forms(of_split["arrays"]) for split, of_split in content["splits"].items()}
            source = str(content["source"])
        except (KeyError, TypeError, AttributeError) as error:
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
            again = notes_from_json(content)
            schema, digest = Schema.from_json(content["schema"]), dict(content["digest"])
            return Prepared(schema, splits, digest, *again, str(content["how_split"]), again)
        except (KeyError, TypeError) as error:
            raise ValueError(f"prepared.json is damaged: {error}") from None


def _forms(arrays: Mapping[str, Any]) -> dict[str, ArrayForm]:
    """Field -> form. Raises KeyError, TypeError or ValueError."""
    forms = {field: ArrayForm.from_json(form) for field, form in arrays.items()}
    if not {*ARRAYS[:4]} <= {*forms} <= {*ARRAYS} or len({form.shape[0] for form in forms.values()}) != 1:
        raise ValueError("prepared.json is damaged: other arrays")
    return forms


def notes_from_json(json: Any) -> ReadingNotes:
    """Notes and warnings of plain JSON types. Raises KeyError, TypeError or ValueError."""
    warnings = tuple(Warned(str(name), str(message)) for name, message in json["warnings"])
    return ReadingNotes(tuple(map(str, json["notes"])), warnings)


def arrays_of(rows: Rows) -> Iterator[tuple[str, Array]]:
    """The arrays that a split has, by their fields."""
    for field in ARRAYS:
        array = getattr(rows, field)
        if array is not None:
            yield field, array


def sealed(content: Any) -> bytes:
    """Plain JSON types and their digest, as the text of a file."""
    return json.dumps({"sha256": digest_of(content), "content": content}).encode()


def unsealed(text: bytes) -> Any:
    """What was sealed. Raises KeyError, TypeError, RecursionError or ValueError for anything else."""
    file = json.loads(text)
    if digest_of(file["content"]) != file["sha256"]:
        raise ValueError("it is not what was written")
    return file["content"]


def digest_of(content: Any) -> str:
    """SHA-256 of plain JSON types, in hex."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
