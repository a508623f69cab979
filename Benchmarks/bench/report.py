"""What a run leaves: the table, the CSV files, the plot."""

from __future__ import annotations

import csv
import platform
from pathlib import Path

from . import goals, groups, plot
from .bench import Bench, Column


def columns(bench: Bench, title: str | None = None) -> list[Column]:
    """The columns of all groups that ran, or of the table of that title."""
    return [column for group in groups.chosen(bench.settings.groups) for column in group.COLUMNS
            if title in (None, group.TITLE)]


def cell(bench: Bench, key: str, column: Column) -> str:
    value = bench.figures.get(key, {}).get(column.key)
    return "-" if value is None else column.show.format(value)


def table(bench: Bench, title: str) -> str:
    """A row a peer, a column a figure."""
    shown = columns(bench, title)
    rows = [[title, *(column.heading[0] for column in shown)],
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


def curve(title: str, points: list[tuple[int, float]]) -> list[str]:
    """A line a point, as long as its value."""
    top = max(value for _, value in points) or 1
    return [title, *(f"  {count:>8,}  {value:7.2f}  {'#' * max(1, round(value / top * 60))}"
                     for count, value in points)]


def text(bench: Bench, skipped: list[str]) -> str:
    settings = bench.settings
    parts = [f"{settings.connections} connections, {settings.size}-byte messages, "
             f"n = {settings.messages:,}; idle at {settings.idle_high:,} connections; "
             f"tasks: n = {settings.tasks:,}, parked at {settings.parked_high:,}"]
    titles = dict.fromkeys(group.TITLE for group in groups.chosen(settings.groups))
    for title in titles:
        parts += ["", table(bench, title)]
    for title, points in bench.curves:
        parts += ["", *curve(title, points)]
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
