"""Child processes: each is ended by its own process id, whatever way the run ends."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import tempfile
import threading
import time

_live: set[subprocess.Popen] = set()
_lock = threading.Lock()
_stopping = False

ADDRESS = re.compile(r"^127\.0\.0\.1:(\d+)$")


class Failure(Exception):
    """A server, a tool or the load generator did not do its part; the text says which and why."""


def start(command: list[str], **options) -> subprocess.Popen:
    """Starts a child that `stop_all` knows of."""
    with _lock:
        if _stopping:
            raise Failure("stopped")
        try:
            child = subprocess.Popen(command, **options)
        except OSError as problem:
            raise Failure(f"{command[0]}: {problem.strerror}") from None
        _live.add(child)
    return child


def stop(child: subprocess.Popen, signal_number: int = signal.SIGTERM, grace: float = 30) -> None:
    """Asks the child to end, then insists."""
    try:
        if child.poll() is None:
            child.send_signal(signal_number)
            try:
                child.wait(grace)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
    finally:
        for stream in (child.stdin, child.stdout, child.stderr):
            if stream:
                try:
                    stream.close()
                except BrokenPipeError:  # an unread line to a child that is gone
                    pass
        with _lock:
            _live.discard(child)


def stop_all() -> None:
    """Ends every child; called when the run is interrupted, possibly while threads wait on them."""
    global _stopping
    with _lock:
        _stopping = True
        children = list(_live)
    for child in children:
        if child.poll() is None:
            child.kill()


def read_line(child: subprocess.Popen, seconds: float) -> str | None:
    """Reads one line of the child's standard output; None at its end or when time is up.

    The pipe is read unbuffered, so that select sees all that is unread."""
    deadline = time.monotonic() + seconds
    line = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([child.stdout], [], [], left)[0]:
            return None
        byte = os.read(child.stdout.fileno(), 1)
        if not byte:
            return None
        if byte == b"\n":
            return line.decode(errors="replace")
        line += byte


class Server:
    """An echo server, running from `with` to the end of the block.

    It prints the address it listens on, "127.0.0.1:PORT", as its first line."""

    def __init__(self, command: list[str], prefix: list[str] | None = None, wait: float = 60):
        self.command = (prefix or []) + command
        self.wait = wait

    def __enter__(self) -> Server:
        self._errors = tempfile.TemporaryFile()
        try:
            self.child = start(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=self._errors, bufsize=0)
        except Failure:
            self._errors.close()
            raise
        line = read_line(self.child, self.wait)
        match = ADDRESS.match(line or "")
        if not match:
            problem = self.problem() or f"printed {line!r} instead of its address"
            self.__exit__()
            raise Failure(f"the server did not start: {problem}")
        self.port = int(match[1])
        self.pid = self.child.pid
        return self

    def __exit__(self, _kind=None, raised=None, _trace=None) -> None:
        stop(self.child)
        if isinstance(raised, Failure) and self.problem():  # why a connection ended early, say
            raised.args = (f"{raised} (the server said: {self.problem()})",)
        self._errors.close()

    def problem(self) -> str:
        """The line of what the server wrote to standard error that names the error."""
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        named = [line for line in lines if "error" in line.lower()] or lines
        return named[0].strip()[:200] if named else ""

    def second_port(self) -> int:
        """The port of a second address, printed on the second line."""
        match = ADDRESS.match(read_line(self.child, self.wait) or "")
        if not match:
            raise Failure("the server printed no second address")
        return int(match[1])
