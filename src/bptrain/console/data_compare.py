"""The drift of each column as a table."""

from bptrain.commands.data_compare import DataComparison
from bptrain.console.terminal.screen import Screen
from bptrain.errors import short

SHOWN = 40  # columns; of a wide table those that have drifted most
LEVELS = 3  # unknown ones that are named


def show_comparison(screen: Screen, found: DataComparison) -> None:
    """One row per column, the one that has drifted most first."""
    rows = []
    for one in found.columns[:SHOWN]:
        unknown = "-"
        if one.kind == "categorical":
            named = ", ".join(map(short, one.unknown_levels[:LEVELS]))
            unknown = f"{one.unknown:,}" + (f" ({named})" if named else "")
        rows.append(
            [
                one.name,
                f"{one.psi:.4f}",
                f"{one.by_chance:.4f}",
                f"{100 * one.missing:.1f} % ({100 * one.missing_before:.1f} %)",
                f"{one.outside:,}" if one.kind == "numeric" else "-",
                unknown,
            ]
        )
    title = f"{found.file}: {found.rows:,} rows, beside {found.training_rows:,} training rows of {found.checkpoint}"
    screen.table(title, ["column", "drift", "by chance", "missing (training)", "outside", "unknown"], rows)
    left = len(found.columns) - SHOWN
    if left > 0:
        screen.result(f"and {left} more columns, which have drifted less")
    screen.note("drift: population stability index; below 0.1 small, above 0.25 large")
