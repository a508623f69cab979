"""Drives the load generator, `load.c`."""

from __future__ import annotations

import subprocess
import time

from .processes import Failure, read_line, start, stop
from .settings import Settings


def figures(line: str) -> dict[str, float]:
    """Reads a line of "key=value key=value"."""
    try:
        return {key: float(value) for key, value in (pair.split("=") for pair in line.split())}
    except ValueError:
        raise Failure(f"load: printed {line!r}") from None


class Load:
    """One load generator: started by `with`, gone at the end of the block."""

    def __init__(self, settings: Settings, mode: str, port: int, *words: str,
                 prefix: list[str] | None = None, connections: int | None = None,
                 limit: int = 300):
        self.limit = limit
        self.command = (prefix or []) + [
            str(settings.build / "load"), mode, str(port),
            "--connections", str(connections or settings.connections),
            "--size", str(settings.size), "--limit", str(limit), *words]

    def __enter__(self) -> Load:
        self.child = start(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, bufsize=0)
        return self

    def __exit__(self, *_) -> None:
        stop(self.child)

    def line(self) -> str:
        """The next line it prints; raises with its own words when it fails instead."""
        line = read_line(self.child, self.limit + 5)
        if line is None:
            stop_error = ""
            if self.child.poll() is not None or self._ended():
                stop_error = self.child.stderr.read().decode(errors="replace").strip()
            raise Failure(stop_error or "load: no answer")
        return line

    def _ended(self) -> bool:
        try:
            self.child.wait(5)
            return True
        except subprocess.TimeoutExpired:
            return False

    def ready(self) -> None:
        line = self.line()
        if line != "ready":
            raise Failure(f"load: printed {line!r}")

    def go_on(self) -> None:
        """Lets it pass the point where it holds."""
        try:
            self.child.stdin.write(b"\n")
        except OSError as problem:
            raise Failure(f"load: {problem.strerror}") from None

    def finish(self, seconds: float = 30) -> None:
        """Lets it close its connections and waits until it has ended."""
        self.go_on()
        try:
            code = self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure("load: did not end") from None
        if code:
            raise Failure(self.child.stderr.read().decode(errors="replace").strip()
                          or f"load: exit {code}")


def echo(settings: Settings, port: int, messages: int, prefix: list[str] | None = None,
         limit: int = 300) -> dict[str, float]:
    """Echoes exactly `messages` messages and returns the load generator's figures."""
    with Load(settings, "echo", port, "--messages", str(messages), prefix=prefix,
              limit=limit) as load:
        return figures(load.line())


def settle(read, seconds: float = 5, step: float = 0.1):
    """Repeats `read` until it gives the same value twice in a row, or time is up; returns it."""
    deadline = time.monotonic() + seconds
    value = read()
    while time.monotonic() < deadline:
        time.sleep(step)
        again = read()
        if again == value:
            break
        value = again
    return value
