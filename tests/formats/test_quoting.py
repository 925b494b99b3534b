"""Markers of missing values in quotes: texts, where other cells of the column stand without."""

from pathlib import Path

import pytest

from bptrain.formats.conventions import Conventions
from bptrain.formats.quoting import QuotedText, cells_of_text
from data.helpers import CROSS, prepared, whole, write


def rows(*cells: str, end: str = "\n") -> str:
    return "c,y" + end + "".join(f"{cell},{k % 2}{end}" for k, cell in enumerate(cells))


@pytest.mark.parametrize(
    ("cells", "categories"),
    [
        (('"NA"', "EU", "AS"), ("AS", "EU", "NA")),
        (('"NA"', '"EU"', "NA"), ("EU", "NA")),  # as R writes a missing text
        (('"NA"', '"EU"', '"AS"'), ("AS", "EU")),  # all are quoted, so that quotes say nothing
        (("NA", "EU", "AS"), ("AS", "EU")),
        (('"NA"', '"E,U"', "AS"), ("AS", "E,U", "NA")),
        (('"NA"', '"E""U"', "AS"), ("AS", 'E"U', "NA")),
        (('"NA"', '"E\nU"', "AS"), ("AS", "E\nU", "NA")),
        (('"None"', "b", '"?"'), ("?", "None", "b")),
        (('""', "b", "c"), ("b", "c")),
        ((' "NA"', "EU", "AS"), ("AS", "EU", "NA")),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_quoted(cells: tuple[str, ...], categories: tuple[str, ...], end: str, tmp_path: Path) -> None:
    p = prepared(whole(write(tmp_path, rows(*cells, end=end)), missing="most_frequent"))
    assert p.schema.features[0].categories == categories


def test_a_class_that_is_called_na(tmp_path: Path) -> None:
    text = "a,y\n" + "".join(f"{i % 13},{('NA', 'EU', 'AS')[i % 3]}\n" for i in range(120))
    bare = prepared(whole(write(tmp_path, text), missing="drop"), CROSS)
    assert bare.schema.labels == ("AS", "EU")
    assert "missing: read as such: 40 cells of y (NA) (data.missing_markers)" in bare.notes
    assert "missing: 40 of 120 rows dropped" in bare.notes[1]
    quoted = prepared(whole(write(tmp_path, text.replace("NA", '"NA"'))), CROSS)
    declared = prepared(whole(write(tmp_path, text), conventions=Conventions(missing_markers=())), CROSS)
    for p in (quoted, declared):
        assert p.schema.labels == ("AS", "EU", "NA")
        assert len(p.splits["train"].X) == 120
        assert not [note for note in p.notes if note.startswith("missing")]


def test_other_conventions(tmp_path: Path) -> None:
    source = write(tmp_path, "# a comment with 'one quote\nc;y\n'NA';0\n\nEU;1\nNA;0\n")
    how = Conventions(delimiter=";", quote="'", comment="#")
    p = prepared(whole(source._replace(conventions=how), missing="most_frequent", conventions=how))
    assert p.schema.features[0].categories == ("EU", "NA")
    tabs = write(tmp_path, 'c\ty\n"NA"\t0\nEU\t1\n', "d.tsv")
    assert prepared(whole(tabs)).schema.features[0].categories == ("EU", "NA")
    indexed = write(tmp_path, ',c,y\n0,"NA",0\n1,EU,1\n2,AS,1\n', "i.csv")
    assert prepared(whole(indexed)).schema.features[0].categories == ("AS", "EU", "NA")


def test_cells_of_a_text() -> None:
    text = 'a,"b,c"\n"d\r\ne",\n\n"f""g" , h"i'
    assert list(cells_of_text(text, ",", '"')) == [
        (1, 0, None),
        (1, 1, "b,c"),
        (2, 0, "d\r\ne"),
        (2, 1, None),
        (4, 0, None),
        (5, 0, 'f""g'),
        (5, 1, None),
    ]


def test_a_quoted_text_is_not_the_text_without() -> None:
    assert QuotedText("NA") == QuotedText("NA") != "NA"
    assert len({QuotedText("NA"), "NA", QuotedText("NA")}) == 2
    assert type(QuotedText(" NA ").strip()) is str
