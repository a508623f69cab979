"""The groups of benchmarks, in the order of the table.

A group is a module with a NAME, its COLUMNS and `measure(bench)`, which fills figures in. To add
one (tasks, simulation), write the module and name it here; the table, the CSV files and the plot
follow its columns."""

from __future__ import annotations

from . import echo, idle, startup

ALL = [echo, idle, startup]
NAMES = [group.NAME for group in ALL]


def chosen(names: list[str]) -> list:
    return [group for group in ALL if group.NAME in names]
