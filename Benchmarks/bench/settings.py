"""What a run measures and how much of it: the command line, and the counts behind --quick."""

from __future__ import annotations

import argparse
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent
ROOT = FOLDER.parent


@dataclass
class Settings:
    luareact: Path
    messages: int = 100_000      # n: callgrind compares runs of n and of 2n messages
    traced_messages: int = 20_000  # under strace, whose counts need no large number
    connections: int = 64
    size: int = 64               # bytes a message
    rounds: int = 7              # interleaved timing rounds
    idle_rounds: int = 3
    idle_low: int = 1_000        # connections at the first memory reading
    idle_high: int = 8_000       # and at the second
    startup_rounds: int = 41
    tasks: int = 50_000          # n of the tasks group: runs of n and of 2n are compared
    parked_low: int = 10_000
    parked_high: int = 100_000
    only: set[str] = field(default_factory=set)
    groups: list[str] = field(default_factory=list)
    build: Path = FOLDER / ".build"
    results: Path = FOLDER / "results"

    def __post_init__(self) -> None:
        self.cores = sorted(os.sched_getaffinity(0))[:2]

    @property
    def server_core(self) -> int:
        return self.cores[0]

    @property
    def load_core(self) -> int:
        """Another core than the server's, where there is one."""
        return self.cores[-1]


def pinned(core: int) -> list[str]:
    """The words before a command that pin it to a core; none where taskset is missing."""
    return ["taskset", "-c", str(core)] if shutil.which("taskset") else []


def names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def parse(arguments: list[str], groups: list[str], peers: list[str]) -> Settings:
    """Reads the command line; ends the program with a usage error on a name nobody knows."""
    parser = argparse.ArgumentParser(
        prog="Benchmarks/run",
        description="Measures luareact beside its peers in one run and prints one table.")
    parser.add_argument("--quick", action="store_true",
                        help="fewer rounds and 50,000 messages: about two minutes")
    parser.add_argument("--only", type=names, default=[], metavar="NAME[,NAME]",
                        help=f"servers to measure, of: {', '.join(peers)} "
                             "(raw is added where ratios to it are asked for)")
    parser.add_argument("--rows", type=names, default=groups, metavar="NAME[,NAME]",
                        help=f"groups to measure, of: {', '.join(groups)}")
    parser.add_argument("--luareact", type=Path, default=ROOT / ".build/release/luareact",
                        metavar="PATH", help="the luareact binary (default: .build/release)")
    parser.add_argument("--results", type=Path, default=FOLDER / "results", metavar="FOLDER",
                        help="where the figures and the plot go (default: Benchmarks/results)")
    chosen = parser.parse_args(arguments)
    for given, known in ((chosen.only, peers), (chosen.rows, groups)):
        unknown = [name for name in given if name not in known]
        if unknown:
            parser.error(f"unknown name {unknown[0]!r}; known are {', '.join(known)}")
    settings = Settings(luareact=chosen.luareact.absolute(), only=set(chosen.only),
                        groups=[name for name in groups if name in chosen.rows],
                        results=chosen.results.absolute())
    if chosen.quick:
        settings.messages = 50_000
        settings.rounds = 3
        settings.idle_rounds = 1
        settings.startup_rounds = 21
        settings.tasks = 20_000
    return settings
