"""Files whose name does not say what they are, or says something else."""

import bz2
import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from bptrain.data.sources import FileSource
from command import bptrain
from data.helpers import CROSS, problems, whole

ROWS = [f"{i % 7},{i % 5},{'no' if i % 2 else 'yes'}" for i in range(100)]
CSV = "\n".join(["a,b,y", *ROWS, ""])


@pytest.mark.parametrize(
    "name", ["d.data", "d.txt", "d", "d.dat", "d.train", "D.TXT", "d.data.gz", "d.gz", "d.zip"]
)
def test_a_table_under_a_name_that_does_not_say(workplace: Path, name: str) -> None:
    """C25, through every command."""
    content = CSV.encode()
    if name.endswith(".gz"):
        content = gzip.compress(content)
    elif name.endswith(".zip"):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("whatever", content)
        content = archive.getvalue()
    (workplace / name).write_bytes(content)
    assert bptrain("init", "--data", name, "--target", "y").code == 0
    fit = bptrain("fit", "config.yaml", "--set", "training.epochs=2", "--json")
    assert fit.code == 0, fit.err
    assert bptrain("eval", fit.json["run"], "--data", name, "--json").json["rows"] == 100
    (workplace / "d.csv").write_text(CSV)
    like = bptrain("fit", "config.yaml", "--set", "training.epochs=2", "--set", "data.train=d.csv", "--json")
    assert like.json["final"] == fit.json["final"]


def test_tabs(workplace: Path) -> None:
    (workplace / "d.txt").write_text(CSV.replace(",", "\t"))
    assert bptrain("init", "--data", "d.txt", "--target", "y").code == 0


ARCHIVES = {}
for _name, _members in {
    "xlsx": ["[Content_Types].xml", "xl/workbook.xml"],
    "ods": ["mimetype", "content.xml"],
    "npz": ["X.npy", "y.npy"],
}.items():
    _archive = io.BytesIO()
    with zipfile.ZipFile(_archive, "w") as _file:
        for _member in _members:
            _file.writestr(_member, b"...")
    ARCHIVES[_name] = _archive.getvalue()

# content, words of the one sentence
FOREIGN = [
    (b"<!DOCTYPE html>\n<html><body>404</body></html>\n", "a web page (HTML)"),
    (b"\xef\xbb\xbf\n <HTML lang='en'>", "a web page (HTML)"),
    (b"<?xml version='1.0'?><rows/>", "an XML document"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "git lfs pull"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "a spreadsheet (xls): export"),
    (ARCHIVES["xlsx"], "a spreadsheet (xlsx): give its name the ending .xlsx"),
    (ARCHIVES["ods"], "a spreadsheet (OpenDocument): export"),
    (ARCHIVES["npz"], "NumPy arrays: name it .npz"),
    (b"PAR1" + bytes(range(200)) + b"PAR1", "a Parquet file: give its name the ending .parquet"),
    (b"ARROW1\0\0" + bytes(100), "an Arrow file (Feather): give its name the ending .arrow"),
    (b"FEA1" + bytes(100) + b"FEA1", "a Feather file"),
    (b"\x80\x04\x95\x0d\0\0\0\0\0\0\0}\x94\x8c\x01a\x94]\x94K\x01as.", "a Python pickle, which is never loaded"),
    (b"\x80\x02}q\0X\x01\0\0\0aq\x01]q\x02K\x01as.", "a Python pickle, which is never loaded"),
    (b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5 file"),
    (b"SQLite format 3\0" + bytes(100), "an SQLite database"),
    (b"%PDF-1.7\n", "a PDF document"),
    (b"\x89PNG\r\n\x1a\n" + bytes(50), "an image"),
    (bytes(257) + b"ustar\x0000" + bytes(300), "an archive"),
    (b"% iris\n\n@RELATION iris\n@ATTRIBUTE a NUMERIC\n", "an ARFF file of Weka"),
    (b"-1 3:1 11:0.25 14:1e-3 \n+1 5:1 7:1\n", "a file of LIBSVM (svmlight): convert"),
    (b"\x93NUMPY\x01\0" + bytes(100), "a NumPy array: rename it to d.npy"),
]  # fmt: skip


@pytest.mark.parametrize("name", ["d.csv", "d.tsv", "d.data", "d.csv.gz", "d.unheard"])
@pytest.mark.parametrize(("content", "words"), FOREIGN, ids=[words for _, words in FOREIGN])
def test_what_a_file_is_instead(tmp_path: Path, content: bytes, words: str, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(
        gzip.compress(content) if name.endswith(".gz") and not content.startswith(b"PK") else content
    )
    [problem] = problems(whole(FileSource(path)), CROSS)
    assert (problem.code, problem.file) == ("foreign_file", str(path))
    assert words.replace("d.npy", f"{name.partition('.')[0]}.npy") in problem.message


@pytest.mark.parametrize("content", ['{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n', '[\n  {"a": 1, "b": 2}]\n'])
def test_json_under_the_name_of_a_table(tmp_path: Path, content: str) -> None:
    path = tmp_path / "d.csv"
    path.write_text(content)
    [problem] = problems(whole(FileSource(path)))
    assert problem.message == "this is JSON: write one object on each line, and name the file .jsonl"


@pytest.mark.parametrize("name", ["x.npz", "x.npy"])
def test_arrays_that_are_something_else(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
    [problem] = problems(whole(FileSource(path, path if name == "x.npy" else None), None))
    assert (problem.code, "git lfs pull" in problem.message) == ("foreign_file", True)


@pytest.mark.parametrize(
    "head", ["PAR1,PAR2,y", "FEA1,b,y", "BZh,b,y", "MATLAB,b,y", "<a>,b,y", "@a,b,y", "version,b,y"]
)
def test_ordinary_headers_that_begin_alike(tmp_path: Path, head: str) -> None:
    path = tmp_path / "d.csv"
    path.write_text("\n".join([head, *ROWS]))
    assert FileSource(path).read("").names[2] == "y"


# content, code, words
DOUBTFUL = [
    ("a,b\tc\n1,2\t3\n", "delimiter", 'data.delimiter: "," or data.delimiter: tab'),
    ("a|b;c\n1|2;3\n", "delimiter", 'data.delimiter: ";" or data.delimiter: "|"'),
    ("y\n1\n2\n", "unknown_format", "does not show its format"),
    ("", "empty_file", "empty"),
    (
        "\n".join(["5.1,3.5,1.4", *(f"{i / 10},{i % 3},{i % 7}" for i in range(50))]),
        "no_header",
        "5.1, 3.5, 1.4",
    ),
    ("\n".join(["5,3,no", *ROWS]), "no_header", "5, 3, no"),
    ("\n".join(["0,0,a", *(f"{i % 3},{i % 3},{'ab'[i % 2]}" for i in range(45))]), "no_header", "0, 0, a"),
]


@pytest.mark.parametrize(("content", "code", "words"), DOUBTFUL, ids=[words for _, _, words in DOUBTFUL])
def test_what_is_doubtful_is_refused(tmp_path: Path, content: str, code: str, words: str) -> None:
    """A name that does not say is no reason to guess."""
    path = tmp_path / "d.data"
    path.write_text(content)
    [problem] = problems(whole(FileSource(path)), CROSS)
    assert (problem.code, words in problem.message) == (code, True), problem.message


def test_names_that_count_are_a_header(tmp_path: Path) -> None:
    path = tmp_path / "d.data"
    path.write_text("\n".join(["0,1,2", *(f"{i / 10},{i % 3},{i % 7}" for i in range(50))]))
    assert FileSource(path).read("").names == ("0", "1", "2")


def test_a_packed_table_under_a_foreign_suffix_is_still_unknown(tmp_path: Path) -> None:
    path = tmp_path / "d.unheard"
    path.write_bytes(bz2.compress(CSV.encode()))
    assert problems(whole(FileSource(path)))[0].code == "unknown_format"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "d.data").write_text(CSV)
    [problem] = problems(whole(FileSource(tmp_path / "e.data")))
    assert (problem.code, problem.suggestion) == ("file_not_found", "d.data")


def test_numpy_arrays_keep_their_names(tmp_path: Path) -> None:
    """Arrays are told by their names alone, since what `data.target` means depends on it."""
    np.save(tmp_path / "x.npy", np.eye(3))
    (tmp_path / "x").write_bytes((tmp_path / "x.npy").read_bytes())
    [problem] = problems(whole(FileSource(tmp_path / "x")))
    assert problem.message == "this is a NumPy array: rename it to x.npy"
