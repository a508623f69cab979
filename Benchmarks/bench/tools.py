"""The observers: callgrind, strace and perf. Each gives None where it cannot work here."""

from __future__ import annotations

import functools
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from . import proc
from .load import Load, echo, figures
from .processes import Failure, Server, start, stop
from .settings import Settings, pinned

# A server under callgrind runs 20 to 50 times slower; on a busy machine slower still.
SLOW_LIMIT = 600


_copies: dict[str, str] = {}
_copying = threading.Lock()  # servers are counted on several cores at a time


def stripped(settings: Settings, command: list[str]) -> list[str]:
    """The command with its program replaced by a copy without debug information, made once a run.

    valgrind reads debug information at start, and old versions abort on that of a large Swift
    binary."""
    program = shutil.which(command[0]) or command[0]
    with _copying:
        if program not in _copies:
            _copies[program] = _strip(program, settings.build / "stripped")
    return [_copies[program], *command[1:]]


def _strip(program: str, folder: Path) -> str:
    """The path of the copy, or of the program itself where strip is missing or refuses."""
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / Path(program).name
    new = copy.with_suffix(".new")
    try:
        subprocess.run(["strip", "-g", "-o", str(new), program], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return program
    new.replace(copy)  # a copy that still runs elsewhere keeps its file
    return str(copy)


def _callgrind(log: str) -> list[str]:
    return ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={log}"]


def _collected(log: str) -> int:
    """The instructions that callgrind counted, from its log."""
    match = re.search(r"Collected : (\d+)", Path(log).read_text(errors="replace"))
    if not match:
        raise Failure("callgrind printed no count")
    return int(match[1])


def instructions_of_echo(settings: Settings, command: list[str], messages: int,
                         core: int) -> int:
    """User instructions of a server's whole life, in which it echoes exactly `messages`.

    The load generator runs on the server's core: then a turn of the server finds all connections
    readable, always, and the count repeats. On a core of its own it would deliver as many as the
    moment's speed allows, and a server that pays much for a turn would vary by a fifth."""
    pin = pinned(core)
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        with Server(stripped(settings, command), pin + _callgrind(log.name),
                    wait=120) as server:
            echo(settings, server.port, messages, prefix=pin, limit=SLOW_LIMIT)
        return _collected(log.name)


def instructions_of_program(settings: Settings, command: list[str]) -> int:
    """User instructions of a program that ends by itself."""
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        child = start(_callgrind(log.name) + stripped(settings, command),
                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL)
        try:
            if child.wait(120):
                raise Failure(f"{Path(command[0]).name} ended with {child.returncode}")
        except subprocess.TimeoutExpired:
            raise Failure("callgrind: the program did not end") from None
        finally:
            stop(child)
        return _collected(log.name)


def references_of_program(settings: Settings, command: list[str], core: int,
                          limit: float) -> int:
    """User instructions of a program that ends by itself, by cachegrind: it follows no calls, and
    so counts programs that switch stacks, as Go does."""
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        words = ["valgrind", "--tool=cachegrind", "--cache-sim=no",
                 "--cachegrind-out-file=/dev/null", f"--log-file={log.name}"]
        child = start(pinned(core) + words + stripped(settings, command),
                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL)
        try:
            if child.wait(limit):
                raise Failure(f"{Path(command[0]).name} ended with {child.returncode}")
        except subprocess.TimeoutExpired:
            raise Failure("cachegrind: the program did not end") from None
        finally:
            stop(child)
        match = re.search(r"I +refs: +([\d,]+)", Path(log.name).read_text(errors="replace"))
        if not match:
            raise Failure("cachegrind printed no count")
        return int(match[1].replace(",", ""))


@functools.cache
def perf_counts() -> bool:
    """Whether this machine counts user instructions in hardware: many virtual ones do not."""
    if not shutil.which("perf"):
        return False
    done = subprocess.run(["perf", "stat", "-x,", "-e", "instructions:u", "true"],
                          capture_output=True, text=True)
    return done.returncode == 0 and done.stderr.split(",")[0].isdigit()


def _observed(settings: Settings, command: list[str], messages: int, observer, attached) -> str:
    """Runs `messages` messages while an observer is attached to the server; returns the text the
    observer wrote to its file. Connections are open before it comes and close after it went, so
    it sees messages only.

    All three share a core: as above the calls repeat, and a stop by the tracer costs a fifth of
    what it costs across two cores."""
    pin = pinned(settings.server_core)
    with tempfile.NamedTemporaryFile(mode="r") as out, Server(command, pin) as server:
        words = ["--messages", str(messages), "--warm", "1", "--hold"]
        with Load(settings, "echo", server.port, *words, prefix=pin, limit=SLOW_LIMIT) as load:
            load.ready()
            tool = start(pin + observer(server.pid, out.name), stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                _wait_until(tool, lambda: attached(server.pid))
                load.go_on()
                figures(load.line())
                stop(tool, signal.SIGINT)
            finally:
                stop(tool)
            load.finish()
        return out.read()


def _wait_until(tool: subprocess.Popen, condition, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if tool.poll() is not None or time.monotonic() > deadline:
            raise Failure(f"could not attach: {' '.join(tool.args)}")
        time.sleep(0.02)


def _after(seconds: float):
    """A condition that holds some time after it was first asked: perf does not say when it has
    attached, and takes milliseconds."""
    first = []

    def passed(_pid: int) -> bool:
        first.append(time.monotonic())
        return first[-1] - first[0] > seconds

    return passed


def perf_instructions(settings: Settings, command: list[str], messages: int) -> int | None:
    """User instructions of `messages` messages, counted by the hardware; None where it cannot."""
    if not perf_counts():
        return None
    text = _observed(
        settings, command, messages,
        lambda pid, out: ["perf", "stat", "-x,", "-e", "instructions:u", "-p", str(pid),
                          "-o", out],
        _after(1))
    for line in text.splitlines():
        fields = line.split(",")
        if len(fields) > 2 and fields[2].startswith("instructions") and fields[0].isdigit():
            return int(fields[0])
    return None


def system_calls(settings: Settings, command: list[str], messages: int) -> dict[str, int]:
    """System calls by name during `messages` messages, as strace counts them."""
    text = _observed(settings, command, messages,
                     lambda pid, out: ["strace", "-f", "-c", "-o", out, "-p", str(pid)],
                     proc.traced)
    calls = {}
    for line in text.splitlines():
        fields = line.split()  # % time, seconds, usecs/call, calls, [errors,] name
        if len(fields) in (5, 6) and fields[3].isdigit() and fields[-1] != "total":
            calls[fields[-1]] = int(fields[3])
    if not calls:
        raise Failure("strace counted nothing")
    return calls
