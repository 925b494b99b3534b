"""Rows of a file that a trained model predicts, piece by piece.

An ensemble takes each piece in every way in which its members encode rows. A row that one of them cannot predict has no
prediction.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bptrain.data.drift import DriftCounts
from bptrain.data.new_rows import EncodedPiece, KeptColumn, NewRows
from bptrain.data.unknown_cells import UnknownCells
from bptrain.errors import Warned
from bptrain.formats.base import Contents
from bptrain.model.ensemble import first_of_each_name
from bptrain.model.trained_model import Answers, TrainedModel
from bptrain.parts.types import Array


class AnsweredPiece(NamedTuple):
    """Some rows of a file."""

    rows: int  # N
    unfit: Array | None  # which of them cannot be predicted, true and false; None where all can
    kept: tuple[KeptColumn, ...]  # N each
    answers: Answers  # for those that can


class PredictedRows:
    """The rows of one file; what is said of them is said once, when the last piece has come."""

    def __init__(
        self,
        model: TrainedModel,
        file: str,
        *,
        array: str = "X",
        keep: Sequence[str] | str = (),
        blank: bool = False,
        drift: DriftCounts | None = None,
    ) -> None:
        """The arguments are those of NewRows."""
        self.model = model
        self._plain: list[Answers] = []  # for the piece at hand, where it is plain numbers
        self._ways = [
            NewRows(
                schema,
                dtype,
                file,
                array=array,
                keep=() if place else keep,
                blank=blank,
                drift=None if place else drift,
                forward=self._taken if place else self._answered,
            )
            for place, (schema, dtype) in enumerate(model.encodings)
        ]

    def _answered(self, raw: Array) -> Array | None:
        answers = self.model.answers_of_plain(raw)
        self._plain += [] if answers is None else [answers]
        return self._taken(raw)

    def _taken(self, raw: Array) -> Array | None:
        """What stands for the outputs of numbers that all members have answered."""
        return self._plain[0].outputs if self._plain else None

    @property
    def rows(self) -> int:
        """How many have come."""
        return self._ways[0].rows

    @property
    def unknown(self) -> UnknownCells:
        """The cells of unknown categories, as the first member knows them."""
        return self._ways[0].unknown

    @property
    def filled(self) -> Counter[str]:
        """The cells that were missing and filled in."""
        return self._ways[0].filled

    def take(self, piece: Contents) -> AnsweredPiece:
        """The next rows. Raises DataError for missing columns; FaultyRows for cells, unless these may be blank."""
        self._plain.clear()
        found = [way.take(piece) for way in self._ways]
        first = found[0]
        if self._plain:
            return AnsweredPiece(first.rows, None, first.kept, self._plain[0])
        unfit, encoded = fit_for_all(found)
        return AnsweredPiece(first.rows, unfit, first.kept, self.model.answers_of(encoded))

    def warnings(self) -> tuple[Warned, ...]:
        """What is odd about all rows that have come. Raises DataError for a column of unknown categories alone."""
        return tuple(first_of_each_name([way.warnings() for way in self._ways]))

    def notes(self) -> tuple[str, ...]:
        """How the file is written, and what was done to its cells."""
        return self._ways[0].notes()


def fit_for_all(found: Sequence[EncodedPiece]) -> tuple[Array | None, list[Array]]:
    """Which rows of a piece some member cannot predict, and X of the others in each encoding."""
    masks = [one.unfit for one in found if one.unfit is not None]
    if not masks:
        return None, [one.X for one in found]
    unfit = np.logical_or.reduce(masks)
    return unfit, [one.X[~(unfit if one.unfit is None else unfit[~one.unfit])] for one in found]
