"""A file that is compared with training rows: its columns by the schema of a run, and its targets if it has any."""

from collections.abc import Sequence

from bptrain.data.column_kinds import read_as
from bptrain.data.column_roles import ColumnRoles, by_schema
from bptrain.data.joined_files import JoinedFiles
from bptrain.data.readers import read
from bptrain.data.schema import Schema
from bptrain.data.sources import DataSource, FileSource
from bptrain.data.table import ColumnBlock


def compared_columns(
    source: DataSource,
    schema: Schema,
    features: str | tuple[str, ...] = "all",
    target: str | tuple[str, ...] | None = None,
) -> list[ColumnBlock]:
    """The features, and the targets of a file that has them; `features` and `target` name the arrays of an npz.

    Raises DataError for columns that are missing, and cells that are not what the schema says.
    """
    kinds = {feature.name: read_as(feature.kind) for feature in schema.features}

    def choose(names: Sequence[str], target_names: Sequence[str] | None) -> ColumnRoles:
        known = frozenset(names)
        there = target_names is not None or all(name in known for name in schema.target.names)
        answers = schema.target.names if there else ()
        return by_schema(kinds, answers, schema.target.column_kinds, source.name)(names, target_names)

    if isinstance(source, FileSource | JoinedFiles):
        source = source.for_columns(tuple(kinds))
    table = read(source, "", choose, features, target)
    renamed = table._replace(features=table.features.renamed(tuple(kinds)))
    blocks = [schema.with_kinds(renamed).features]
    if table.target is not None and table.target.names:
        blocks.append(table.target.renamed(schema.target.names))
    return blocks
