"""The start-up group: the time and the instructions of an empty script."""

from __future__ import annotations

import os
import select
import shutil
import signal
import statistics
import tempfile
import time
from pathlib import Path

from . import tools
from .bench import Bench, Column
from .peers import Peer
from .processes import Failure

NAME = "startup"
TITLE = "servers"
LIMIT = 20  # seconds that an empty script may take
COLUMNS = [
    Column("start", ("start-up", "ms"), "{:.2f}", "Start-up of an empty script, ms", log=True),
    Column("start_count", ("start-up, million", "instructions"), "{:.2f}"),
]


def measure(bench: Bench) -> None:
    peers = [peer for peer in bench.peers if peer.script is not None]
    with tempfile.TemporaryDirectory() as folder:
        commands = {}
        for peer in peers:
            script = Path(folder) / f"empty{peer.suffix}"
            script.touch()
            commands[peer.key] = [shutil.which(peer.script[0]) or peer.script[0], str(script)]
        bench.say(f"startup: {bench.settings.startup_rounds} rounds")
        _time(bench, peers, commands)
        if shutil.which("valgrind"):
            for peer in peers:
                if peer.counter == "callgrind":
                    bench.attempt(peer, "start-up", lambda: _count(
                        bench, peer, commands[peer.key]))


def _time(bench: Bench, peers: list[Peer], commands: dict[str, list[str]]) -> None:
    """Interleaved runs on one core; the first of each only fills the page cache."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {bench.settings.server_core})
    times: dict[str, list[float]] = {peer.key: [] for peer in peers}
    try:
        for number in range(bench.settings.startup_rounds + 1):
            for peer in peers:
                if peer.key not in times:
                    continue
                if not bench.attempt(peer, "start-up", lambda: times[peer.key].append(
                        _run(commands[peer.key]))):
                    del times[peer.key]
                elif number:
                    bench.record("startup", peer=peer.key, round=number,
                                 milliseconds=round(times[peer.key][-1], 4))
    finally:
        os.sched_setaffinity(0, before)
    plain = times.get("lua", [])[1:]
    for peer in peers:
        own = times.get(peer.key, [])[1:]
        if own:
            bench.figure(peer, "start", statistics.median(own))
        if own and len(own) == len(plain):
            bench.figure(peer, "start_to_lua", statistics.median(
                mine / other for mine, other in zip(own, plain)))


def _run(command: list[str]) -> float:
    """Milliseconds from spawn to exit of a program that must end well."""
    quiet = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
             (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
             (os.POSIX_SPAWN_DUP2, 1, 2)]
    start = time.perf_counter_ns()
    child = os.posix_spawn(command[0], command, os.environ, file_actions=quiet)
    end = os.pidfd_open(child)
    in_time = bool(select.select([end], [], [], LIMIT)[0])
    milliseconds = (time.perf_counter_ns() - start) / 1e6
    os.close(end)
    if not in_time:
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if not in_time:
        raise Failure(f"an empty script had not ended after {LIMIT} s")
    if status:
        raise Failure(f"an empty script ended with {os.waitstatus_to_exitcode(status)}")
    return milliseconds


def _count(bench: Bench, peer: Peer, command: list[str]) -> None:
    count = tools.instructions_of_program(bench.settings, command)
    bench.record("instructions", peer=peer.key, by="callgrind", messages=0, instructions=count)
    bench.figure(peer, "start_count", count / 1e6)
