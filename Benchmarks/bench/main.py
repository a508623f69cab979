"""Runs the benchmarks and prints the table."""

from __future__ import annotations

import os
import resource
import signal
import sys

from . import build, groups, peers, report, settings
from .bench import Bench
from .processes import Failure, stop_all


def main(arguments: list[str]) -> int:
    """Exit code 0 when the table was printed, 1 when the run failed, 2 on a usage error."""
    chosen = settings.parse(arguments, groups.NAMES, peers.KEYS)
    signal.signal(signal.SIGTERM, _interrupted)
    signal.signal(signal.SIGINT, _interrupted)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Servers inherit this limit: not each of them raises its own.
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        return _measure(chosen)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except Failure as problem:
        print(f"Benchmarks/run: {problem}", file=sys.stderr)
        return 1
    finally:
        stop_all()


def _interrupted(*_) -> None:
    stop_all()  # threads that wait on a child see its end and give up
    raise KeyboardInterrupt


def _measure(chosen: settings.Settings) -> int:
    build.load(chosen)
    found, skipped = peers.discover(chosen)
    bench = Bench(chosen, found)
    for line in skipped:
        bench.say(f"skipped: {line}")
    bench.say("measuring " + ", ".join(peer.title for peer in found))
    for group in groups.chosen(chosen.groups):
        try:
            group.measure(bench)
        except Failure as problem:  # the other groups' figures are worth having
            bench.note(f"{group.NAME}: {problem}")
    output = report.text(bench, skipped)
    print(output, flush=True)
    written = report.save(bench, output)
    bench.say(f"wrote {len(written)} files to {os.path.relpath(chosen.results)}")
    return 0
