"""What a run leaves: the table, the CSV files, the plot."""

from __future__ import annotations

import csv
import platform
from pathlib import Path

from . import goals, groups, plot
from .bench import Bench, Column


def columns(bench: Bench) -> list[Column]:
    return [column for group in groups.chosen(bench.settings.groups) for column in group.COLUMNS]


def cell(bench: Bench, key: str, column: Column) -> str:
    value = bench.figures.get(key, {}).get(column.key)
    return "-" if value is None else column.show.format(value)


def table(bench: Bench) -> str:
    """The one table: a row a server, a column a figure."""
    shown = columns(bench)
    rows = [["", *(column.heading[0] for column in shown)],
            ["", *(column.heading[1] for column in shown)]]
    for peer in bench.peers:
        cells = [cell(bench, peer.key, column) for column in shown]
        if any(text != "-" for text in cells):
            rows.append([peer.title, *cells])
    widths = [max(len(row[at]) for row in rows) for at in range(len(shown) + 1)]
    lines = ["  ".join([row[0].ljust(widths[0])] + [
        text.rjust(width) for text, width in zip(row[1:], widths[1:])]).rstrip() for row in rows]
    lines.insert(2, "-" * (sum(widths) + 2 * len(shown)))
    return "\n".join(lines)


def text(bench: Bench, skipped: list[str]) -> str:
    settings = bench.settings
    parts = [f"{settings.connections} connections, {settings.size}-byte messages, "
             f"n = {settings.messages:,}; idle at {settings.idle_high:,} connections", "",
             table(bench)]
    if bench.notes:
        parts += ["", *(f"note: {note}" for note in bench.notes)]
    if skipped:
        parts += ["", *(f"skipped: {line}" for line in skipped)]
    compared = goals.lines(bench)
    if compared:
        parts += ["", "luareact against its goals", *compared]
    return "\n".join(parts)


def save(bench: Bench, output: str) -> list[Path]:
    """Writes a CSV file for each kind of raw figure, the summary, the versions and the plot."""
    folder = bench.settings.results
    folder.mkdir(parents=True, exist_ok=True)
    written = [_csv(folder / f"{name}.csv", rows) for name, rows in bench.rows.items()]
    summary = [{"peer": peer.key, **bench.figures[peer.key]}
               for peer in bench.peers if peer.key in bench.figures]
    written.append(_csv(folder / "summary.csv", summary))
    versions = [{"peer": peer.key, "version": peer.version(peer.command)} for peer in bench.peers]
    versions.append({"peer": "kernel", "version": platform.release()})
    written.append(_csv(folder / "versions.csv", versions))
    (folder / "table.txt").write_text(output + "\n")
    drawing = folder / "summary.svg"
    drawing.write_text(plot.draw(bench, [column for column in columns(bench) if column.title]))
    return [*written, folder / "table.txt", drawing]


def _csv(path: Path, rows: list[dict]) -> Path:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path
