"""The groups of benchmarks, in the order of the table.

A group is a module with a NAME, its COLUMNS and `measure(bench)`, which fills figures in. To add
one (simulation), write the module and name it here; the tables, the CSV files and the plot follow
its columns. Groups with the same TITLE share a table."""

from __future__ import annotations

from . import echo, idle, startup, tasks

ALL = [echo, idle, startup, tasks]
NAMES = [group.NAME for group in ALL]


def chosen(names: list[str]) -> list:
    return [group for group in ALL if group.NAME in names]
