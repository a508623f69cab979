"""One run: what is measured, what came out, and the words said on the way."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import Callable

from .peers import Peer
from .processes import Failure
from .settings import Settings


@dataclass(frozen=True)
class Column:
    """A figure of the table."""
    key: str
    heading: tuple[str, str]  # its two lines
    show: str = "{:,.0f}"   # how a number is printed
    title: str = ""         # the plot's panel; none when empty
    log: bool = False       # the plot's scale


@dataclass
class Bench:
    settings: Settings
    peers: list[Peer]
    figures: dict[str, dict[str, float | str]] = field(default_factory=dict)
    rows: dict[str, list[dict]] = field(default_factory=dict)  # raw figures, a CSV file each
    notes: list[str] = field(default_factory=list)
    curves: list[tuple[str, list[tuple[int, float]]]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        """Reports progress on standard error, so that standard output holds the table alone."""
        print(f"[{time.monotonic() - self.started:5.0f} s] {text}", file=sys.stderr, flush=True)

    def figure(self, peer: Peer, column: str, value: float | str | None) -> None:
        if value is not None:
            self.figures.setdefault(peer.key, {})[column] = value

    def note(self, text: str) -> None:
        """Adds a line under the table, once."""
        if text not in self.notes:
            self.notes.append(text)

    def record(self, file: str, **row) -> None:
        self.rows.setdefault(file, []).append(row)

    def attempt(self, peer: Peer, what: str, measure: Callable[[], None]) -> bool:
        """Measures one thing of one peer; a failure becomes a note and leaves the cell empty."""
        try:
            measure()
            return True
        except (Failure, OSError) as problem:
            self.note(f"{peer.title}: {what}: {problem}")
            return False
