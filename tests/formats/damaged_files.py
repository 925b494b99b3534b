"""Files of every format, damaged at places that mean something: headers, lengths, quotes, members of archives, footers.

`case(number)` is a file of a seed: its name and its content. What needs an extra is left out where that is missing.
"""

import bz2
import gzip
import io
import json
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from datetime import date
from functools import cache
from importlib.util import find_spec
from random import Random
from typing import Any, NamedTuple

import numpy as np

ROWS = 12
LARGE = (0, 1, 2, 0x7F, 0xFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**64 - 1)


class DamagedFile(NamedTuple):
    """A file of a seed."""

    name: str
    content: bytes
    what: str  # its format, and what was done to it


def rows() -> list[list[Any]]:
    """A table with a header."""
    made: list[list[Any]] = [["a", "long name", "y"]]
    return made + [[k * 1.5, "uvwé"[k % 4], k % 3] for k in range(ROWS)]


@cache
def contents() -> dict[str, bytes]:
    """A whole file of each format, by its name."""
    text = "\n".join(",".join(map(str, row)) for row in rows()) + "\n"
    quoted = "\r\n".join(",".join(f'"{cell}"' for cell in row) for row in rows()) + "\r\n"
    lines = "".join(json.dumps(dict(zip(rows()[0], row, strict=True))) + "\n" for row in rows()[1:])
    made = {
        "t.csv": text.encode(), "q.csv": quoted.encode(), "t.tsv": text.replace(",", "\t").encode(),
        "t.data": text.encode(),
        "s.txt": text.replace(",", ";").encode(), "u.csv": text.encode("utf-16"), "t.jsonl": lines.encode(),
        "t.csv.gz": gzip.compress(text.encode(), mtime=0), "t.csv.bz2": bz2.compress(text.encode()),
        "t.csv.xz": lzma.compress(text.encode()), "t.csv.zip": zipped({"t.csv": text.encode()}),
        "x.idx": struct.pack(">HBBII", 0, 8, 2, 4, 3) + bytes(range(12)),
        "d.idx": struct.pack(">HBBI", 0, 14, 1, 3) + struct.pack(">3d", 1, 2, 3),
    }  # fmt: skip
    array = np.arange(12.0).reshape(4, 3)
    made["x.npy"] = npy(array)
    made["f.npy"] = npy(np.asfortranarray(array.astype(">i2")))
    made["x.npy.gz"] = gzip.compress(made["x.npy"], mtime=0)
    made["x.npz"] = zipped({"X.npy": npy(array), "y.npy": npy(np.array(["a", "b", "a", "b"]))})
    made["p.npz"] = zipped({"X.npy": npy(array), "y.npy": npy(np.arange(4))}, zipfile.ZIP_DEFLATED)
    if find_spec("pyarrow"):
        made |= of_arrow()
    if find_spec("openpyxl"):
        made["t.xlsx"] = workbook()
    return made


def npy(array: Any) -> bytes:
    """An array as np.save writes it."""
    made = io.BytesIO()
    np.save(made, array)
    return made.getvalue()


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive; the same bytes at any time."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return made.getvalue()


def of_arrow() -> dict[str, bytes]:
    """Files that pyarrow writes."""
    import pyarrow as pa
    import pyarrow.feather as feather
    import pyarrow.parquet as pq

    columns = [[row[k] for row in rows()[1:]] for k in range(3)]
    table = pa.table(
        {
            **dict(zip(rows()[0], columns, strict=True)),
            "d": pa.array(columns[1]).dictionary_encode(),
            "n": pa.array([None, *columns[2][1:]]),
            "t": pa.array(columns[2], pa.timestamp("ms")),
        }
    )
    made = {}
    for name, compression in (("t.parquet", "snappy"), ("z.parquet", "zstd"), ("p.parquet", "none")):
        sink = io.BytesIO()
        pq.write_table(table, sink, compression=compression, row_group_size=5)
        made[name] = sink.getvalue()
    for name, lz4 in (("t.feather", "lz4"), ("u.arrow", "uncompressed")):
        sink = io.BytesIO()
        feather.write_feather(table, sink, compression=lz4)
        made[name] = sink.getvalue()
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    made["s.arrow"] = sink.getvalue()
    return made


def workbook() -> bytes:
    """A workbook of one sheet."""
    import openpyxl

    book, made = openpyxl.Workbook(), io.BytesIO()
    for row in rows():
        book.active.append(row)
    book.active["D1"], book.active["D2"] = "when", date(2020, 1, 1)
    book.save(made)
    return made.getvalue()


# --- damage ---------------------------------------------------------------------------------------------------

Damage = Callable[[bytes, Random], bytes]


def _flip(content: bytes, random: Random) -> bytes:
    made = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 8))):
        if made:
            made[random.randrange(len(made))] = random.choice((0, 0xFF, 0x80, random.randrange(256)))
    return bytes(made)


def _cut(content: bytes, random: Random) -> bytes:
    return content[: random.randrange(len(content) + 1)]


def _repeat(content: bytes, random: Random) -> bytes:
    """A part of it once more, or many times."""
    a, b = sorted(random.randrange(len(content) + 1) for _ in range(2))
    return content[:b] + content[a:b] * random.choice((1, 2, 50)) + content[b:]


def _drop(content: bytes, random: Random) -> bytes:
    a, b = sorted(random.randrange(len(content) + 1) for _ in range(2))
    return content[:a] + content[min(b, a + random.choice((1, 4, 100))) :]


def _number(content: bytes, random: Random) -> bytes:
    """A number of 2, 4 or 8 bytes somewhere, mostly near one of the ends, as in headers and footers."""
    form = random.choice(("<H", "<I", "<Q", ">I", ">Q"))
    size = struct.calcsize(form)
    if len(content) < size:
        return content
    places = (random.randrange(len(content) - size + 1), random.randrange(min(64, len(content) - size + 1)),
              len(content) - size - random.randrange(min(64, len(content) - size + 1)))  # fmt: skip
    at = random.choice(places)
    number = random.choice(LARGE) & ((1 << (8 * size)) - 1)
    return content[:at] + struct.pack(form, number) + content[at + size :]


TEXTS = [
    *(
        '"',
        '""',
        ",",
        "\n",
        "\r",
        "\r\n",
        "\0",
        "\ufeff",
        "\t",
        ";",
        " ",
        "#",
        "'",
        "é",
        "\ud800",
        "\\u0000",
        "\\ud800",
    ),
    *(
        "{",
        "}",
        "[",
        "]",
        "null",
        "1e999",
        "9" * 400,
        "NaN",
        "-",
        "sep=;\n",
        "<html>",
        "[" * 3000,
        "x" * 70_000,
    ),
    *("a", "y", '"a": 1, ', "\u2028", "\x1c", "\x85", "1_0", "0x1", "٣"),
]


def _text(content: bytes, random: Random) -> bytes:
    """Something that means something to a reader of texts."""
    made = content
    for _ in range(random.choice((1, 1, 2, 5))):
        at = random.randrange(len(made) + 1)
        piece = random.choice(TEXTS).encode("utf-8", "surrogatepass")
        made = made[:at] + piece + made[at + random.choice((0, 0, 1, 3)) :]
    return made


def _encoding(content: bytes, random: Random) -> bytes:
    text = content.decode("utf-8", "replace")
    encoding = random.choice(
        ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "utf-8-sig", "shift_jis")
    )
    return text.encode(encoding, "replace")


def _lines(content: bytes, random: Random) -> bytes:
    """Lines that change their places, are there twice, or are blank."""
    lines = content.split(b"\n")
    for _ in range(random.choice((1, 2, 4))):
        at, other = random.randrange(len(lines)), random.randrange(len(lines))
        lines[at] = random.choice(
            (lines[other], b"", b"  ", lines[at] + b",", lines[at].replace(b",", b"", 1))
        )
    return b"\n".join(lines)


SHAPES = [
    *(
        "(4, 3)",
        "(12,)",
        "()",
        "(0,)",
        "(4, 0)",
        "(10000000000, 1000)",
        "(-1, 3)",
        "(4, 3.0)",
        "(4, True)",
        "(4, '3')",
    ),
    *("[4, 3]", "None", "(" * 90, "(1,) * 9", str((1,) * 70), "(9999999999999999999999999,)"),
]
DTYPES = [
    *(
        "'<f8'",
        "'>f4'",
        "'|O'",
        "'<U3'",
        "'|S100000'",
        "'<c16'",
        "'<M8[ns]'",
        "[('a', '<f8')]",
        "'|V8'",
        "'a5'",
        "'f128'",
    ),
    *("'|b1'", "None", "[]", "'<U99999999999'", "('<f8', (3,))", "'<f8,<f8'", "b'<f8'", "'?'"),
]


def _npy_header(content: bytes, random: Random) -> bytes:
    """The shape, the type, the order or the length that a header states."""
    of_types = rb"'[<>|][a-zA-Z]\d+'"
    for old, new in ((rb"\([^)]*\)", SHAPES), (of_types, DTYPES), (rb"(True|False)", ["True", "1", "None"])):
        if random.random() < 0.5:
            content = _replaced(content, old, new, random, 1)
    if random.random() < 0.2:
        content = content[:6] + bytes([random.choice((0, 1, 2, 3, 9)), 0]) + content[8:]
    return content


def _idx_header(content: bytes, random: Random) -> bytes:
    made = bytearray(content)
    at = random.choice((0, 1, 2, 3, 4, 7))
    made[at : at + 1] = bytes([random.choice((0, 1, 3, 8, 9, 11, 12, 13, 14, 255))])
    return bytes(made)


XML = [
    (rb'r="[A-Z]+\d+"', ['r="XFD1048576"', 'r="A0"', 'r="?"', 'r="ZZZZ1"', ""]),
    (rb't="\w+"', ['t="e"', 't="s"', 't="b"', 't="d"', ""]),
    (rb"<v>[^<]*</v>", ["<v>1e999</v>", "<v>x</v>", "<v>-1</v>", "<v/>", "<v>99999999</v>", "<f>1+1</f>"]),
    (rb's="\d+"', ['s="999"', 's="-1"', 's="x"']),
    (rb"</\w+>", ["", "</x>", "<x>"]),
    (rb"<\w+", ["<x", "<!DOCTYPE", "<row"]),
    (rb'"\d+"', ['"999999999999"', '"-1"', '""']),
    (rb'Id="[^"]*"', ['Id="rId99"']),
    (rb'Target="[^"]*"', ['Target="../../x"']),
]


def _replaced(content: bytes, pattern: bytes, new: list[str], random: Random, count: int) -> bytes:
    """Some of what matches a pattern replaced."""

    def other(found: re.Match[bytes]) -> bytes:
        return random.choice((random.choice(new).encode(), found[0]))

    return re.sub(pattern, other, content, count=count)


def _members(content: bytes, random: Random) -> bytes:
    """One of an archive's members damaged, renamed, away, or there twice; packed again, in one way or another."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        LookupError,
        RuntimeError,
        OSError,
        ValueError,
        EOFError,
    ):
        return _flip(content, random)
    if not members:
        return content
    name = random.choice([*members])
    kind = random.randrange(6)
    if kind == 0:
        del members[name]
    elif kind == 1:
        members[random.choice(("X.npy", "z", "../x", "mimetype", "xl/y.xml"))] = members.pop(name)
    elif name.endswith((".xml", ".rels")):
        for old, new in random.sample(XML, 2):
            members[name] = _replaced(members[name], old, new, random, 3)
    else:
        members[name] = random.choice([*GENERAL, _npy_header])(members[name], random)
    method = random.choice(
        (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
    )
    return zipped(members, method)


def _bomb(content: bytes, random: Random) -> bytes:
    """Sixteen million zeros, packed."""
    zeros = bytes(1 << 24)
    member = random.choice(("t.csv", "X.npy", "xl/worksheets/sheet1.xml"))
    packed: list[Callable[[], bytes]] = [
        lambda: gzip.compress(zeros, 1),
        lambda: zipped({member: content[:200] + zeros}, zipfile.ZIP_DEFLATED),
        lambda: bz2.compress(zeros),
        lambda: lzma.compress(zeros, preset=0),
    ]
    return random.choice(packed)()


GENERAL: list[Damage] = [_flip, _cut, _repeat, _drop, _number]


def damages(name: str) -> list[Damage]:
    """What is done to a file of this name: what any file may suffer, and what its format is sensitive to."""
    if name.endswith((".csv", ".tsv", ".txt", ".data", ".jsonl")):
        return [_text, _text, _text, _lines, _lines, _encoding, _cut, _flip, _repeat]
    if name.endswith((".npz", ".zip", ".xlsx")):
        return [*GENERAL, *[_members] * (12 if name.endswith(".xlsx") else 6)]
    if name.endswith(".npy"):
        return [*GENERAL, *[_npy_header] * 6]
    if name.endswith(".idx"):
        return [*GENERAL, *[_idx_header] * 4]
    return [*GENERAL, _flip, _number, _number]


OTHER_NAMES = (
    "t",
    "t.csv",
    "t.gz",
    "t.npz",
    "t.npy",
    "t.parquet",
    "t.xlsx",
    "t.arrow",
    "t.idx",
    "t.txt.gz",
    "t.jsonl.zip",
)


def case(number: int) -> DamagedFile:
    """The file of a number."""
    random = Random(number)
    name = random.choice([*contents()])
    content, done = contents()[name], []
    for _ in range(random.choice((0, 1, 1, 1, 1, 2, 3))):
        damage = _bomb if random.random() < 0.005 else random.choice(damages(name))
        content = damage(content, random)
        done.append(damage.__name__.strip("_"))
    what = f"{name}: {', '.join(done) or 'whole'}"
    if random.random() < 0.05:
        name = random.choice(OTHER_NAMES)
        what += f", named {name}"
    return DamagedFile(name, content, what)
