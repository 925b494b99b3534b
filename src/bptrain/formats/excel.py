"""Excel workbooks: one sheet with a header, read through openpyxl; formulas as the values that are stored with them."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bptrain.errors import DataError, Problem
from bptrain.extras import TABLES
from bptrain.formats.arrow_cells import needed
from bptrain.formats.base import Format, Sheet, formats
from bptrain.formats.conventions import Conventions
from bptrain.formats.excel_cells import NO_VALUE, FoundCells, table_of
from bptrain.formats.files import reading
from bptrain.formats.foreign import HEAD_OF_FILE, refuse_foreign, refuse_foreign_archive
from bptrain.formats.packing import MOST_UNPACKED, of_the_system
from bptrain.formats.problems import nearest, some_of

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # how the containers of older and of encrypted workbooks begin
PROLOG = 1 << 16  # bytes of a part that must show its first element


@formats.add("xlsx")
def excel() -> Format:
    """A sheet of an Excel workbook; needs openpyxl."""
    return Format("table", (".xlsx",), read_excel, variants=(".xlsm",), extra=TABLES)


def read_excel(path: Path, key: str, conventions: Conventions) -> Sheet:
    """The sheet that `data.sheet` names, or the only one. Raises DataError, and UsageError without openpyxl."""
    openpyxl = needed("openpyxl", path, key)
    with reading(path, key), path.open("rb") as file:
        head = file.read(HEAD_OF_FILE)
        if head.startswith(OLE):
            message = "this is an old spreadsheet (xls), or one with a password: save it as .xlsx without a password"
            raise DataError(Problem("foreign_file", message, file=str(path)))
        refuse_foreign(head, b"", path)
        with _reading_workbook(path):
            _refuse_bombs(file, path)
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            page = _page(book, path, key, conventions.sheet)
            found = FoundCells(_rows(page), path)
            if found.gaps and _has_formulas(file, page):
                again = openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)
                _refuse_unknown_values(again[page.title], found, path)
            book.close()
        return table_of(found, page.title, conventions)


@contextmanager
def _reading_workbook(path: Path) -> Iterator[None]:
    """Turns what zipfile, the XML parser and openpyxl say about a damaged workbook into a DataError."""
    import zipfile
    import zlib

    try:
        # openpyxl warns of what a workbook has beside its cells, such as a missing default style
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="openpyxl")
            yield
    except DataError:
        raise
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        EOFError,
        LookupError,
        NotImplementedError,
        OSError,
        RecursionError,
        SyntaxError,
        TypeError,
        ValueError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:  # openpyxl builds its objects from whatever the XML says
        if of_the_system(error):
            raise
        why = " ".join(str(error).split())[:200]
        message = f"the file is damaged or not what its name says ({why})"
        raise DataError(Problem("damaged_file", message, file=str(path))) from None


def _refuse_bombs(file: Any, path: Path) -> None:
    """Raises DataError where a workbook is more than the cap when it is unpacked, or defines entities of XML."""
    import zipfile

    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
        names = [part.filename for part in parts]
        if not any(name.startswith("xl/") for name in names):
            refuse_foreign_archive(names, path)
            message = f"this is a zip archive ({some_of(names, 5) or 'empty'}), but no Excel workbook"
            raise DataError(Problem("damaged_file", message, file=str(path)))
        if sum(part.file_size for part in parts) > MOST_UNPACKED:  # zipfile hands out no more than this
            message = f"the workbook holds more than {MOST_UNPACKED:,} bytes when it is unpacked: save the sheet as CSV"
            raise DataError(Problem("too_large", message, file=str(path)))
        for part in parts:
            if part.flag_bits & 1 or part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                message = (
                    f"{part.filename} in the workbook is encrypted or not packed with deflate: save it anew"
                )
                raise DataError(Problem("damaged_file", message, file=str(path)))
            if not part.filename.endswith((".xml", ".rels", ".vml")):
                continue
            with archive.open(part) as content:
                head = content.read(PROLOG).replace(b"\0", b"")  # UTF-16 too
            if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
                message = f"{part.filename} in the workbook defines XML entities, which no spreadsheet needs"
                raise DataError(Problem("damaged_file", message, file=str(path)))
    file.seek(0)


def _page(book: Any, path: Path, key: str, sheet: str | int | None) -> Any:
    """The worksheet that is meant. Raises DataError with the names of all where that is not clear."""
    pages = book.worksheets
    names = [page.title for page in pages]
    listed = f"it has {some_of(names)}" if names else "it has none"
    if isinstance(sheet, str):
        if sheet in names:
            return pages[names.index(sheet)]
        message = f"{path} has no sheet named {sheet}; {listed}"
        raise DataError(
            Problem("unknown_sheet", message, path="data.sheet", suggestion=nearest(sheet, names))
        )
    if sheet is not None:
        if 1 <= sheet <= len(pages):
            return pages[sheet - 1]
        raise DataError(Problem("unknown_sheet", f"{path} has no sheet {sheet}; {listed}", path="data.sheet"))
    shown = [page for page in pages if page.sheet_state == "visible"]
    if len(shown) > 1:
        shown = [page for page in shown if any(cell.value is not None for row in _rows(page) for cell in row)]
    if len(shown) == 1:
        return shown[0]
    if len(shown) > 1:
        titles = some_of(page.title for page in shown)
        message = (
            f"the workbook has {len(shown)} sheets ({titles}): name the one that is meant in data.sheet (init --set "
            "data.sheet=NAME)"
        )
        raise DataError(Problem("several_sheets", message, file=str(path)))
    raise DataError(Problem("empty_file", f"the workbook has no sheet with cells; {listed}", file=str(path)))


def _rows(page: Any) -> Iterator[Any]:
    """All rows from the first one on, each a tuple of cells; those without cells are empty."""
    page.reset_dimensions()  # which programs write wrong
    yield from page.iter_rows()


def _has_formulas(file: Any, page: Any) -> bool:
    """Whether the XML of a sheet may have a formula."""
    import zipfile

    file.seek(0)
    with zipfile.ZipFile(file) as archive, archive.open(page._worksheet_path) as content:
        before = b""
        while piece := content.read(1 << 20):
            if b"<f" in before[-1:] + piece or b":f" in before[-1:] + piece:
                return True
            before = piece
    return False


def _refuse_unknown_values(page: Any, found: FoundCells, path: Path) -> None:
    """Raises DataError for formulas that no value is stored with, by `found`, the cells without one."""
    for number, row in enumerate(_rows(page), 1):
        for place, cell in enumerate(row):
            if cell.value is not None and cell.data_type == "f" and found.is_gap(number, place):
                found.errors.add(
                    Problem(
                        "no_stored_value",
                        f"cell {cell.coordinate} has a formula, but no value is stored with it: open the workbook "
                        f"in Excel or LibreOffice and save it; {NO_VALUE}",
                        file=str(path),
                        line=number,
                        column=place + 1,
                    )
                )
    found.errors.raise_if_any()
