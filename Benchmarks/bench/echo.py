"""The echo group: instructions, system calls, messages a second and CPU of a message."""

from __future__ import annotations

import shutil
import statistics
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue

from . import proc, tools
from .bench import Bench, Column
from .load import Load, figures
from .peers import Peer, servers
from .processes import Failure, Server
from .settings import pinned

NAME = "echo"
TITLE = "servers"
COLUMNS = [
    Column("instructions", ("instructions", "a message"),
           title="User instructions a message", log=True),
    Column("calls", ("system calls", "a message"), "{:.2f}", "System calls a message"),
    Column("rate", ("messages/s", "x raw C"), "{:.2f}", "Messages a second, raw C = 1"),
    Column("cpu", ("CPU a message", "x raw C"), "{:.2f}", "CPU a message, raw C = 1"),
]


def measure(bench: Bench) -> None:
    _count_instructions(bench)
    _count_calls(bench)
    _race(bench)


# --- user instructions


def _count_instructions(bench: Bench) -> None:
    """Counts repeat however busy the machine is, so a server is counted on each core."""
    counted = [peer for peer in servers(bench.peers) if peer.counter == "callgrind"]
    if not shutil.which("valgrind"):
        bench.note("instructions: valgrind not found (package valgrind)")
        counted = []
    # The longest first, so that no core idles at the end: 2n before n, Lua's libraries before C.
    jobs = [(peer, part) for part in (2, 1) for peer in reversed(counted)]
    cores = SimpleQueue()
    for core in bench.settings.cores:
        cores.put(core)
    bench.say(f"echo: instructions of {len(counted)} servers under callgrind")
    totals: dict[tuple[str, int], int] = {}

    def count(job: tuple[Peer, int]) -> None:
        peer, part = job
        core = cores.get()

        def run() -> None:
            messages = part * bench.settings.messages
            totals[peer.key, part] = tools.instructions_of_echo(
                bench.settings, peer.command, messages, core)
            bench.record("instructions", peer=peer.key, by="callgrind", messages=messages,
                         instructions=totals[peer.key, part])
            bench.say(f"echo: {peer.title}: {messages:,} messages counted")

        bench.attempt(peer, "instructions", run)
        cores.put(core)

    with ThreadPoolExecutor(len(bench.settings.cores)) as pool:
        list(pool.map(count, jobs))
    for peer in counted:
        if (peer.key, 1) in totals and (peer.key, 2) in totals:
            difference = totals[peer.key, 2] - totals[peer.key, 1]
            bench.figure(peer, "instructions", difference / bench.settings.messages)
    _count_in_hardware(bench)


def _count_in_hardware(bench: Bench) -> None:
    for peer in servers(bench.peers):
        if peer.counter == "perf":
            bench.attempt(peer, "instructions", lambda: _perf(bench, peer))


def _perf(bench: Bench, peer: Peer) -> None:
    messages = bench.settings.messages
    total = tools.perf_instructions(bench.settings, peer.command, messages)
    if total is None:
        note = ("instructions of Go and Node need a hardware counter (perf, package linux-perf), "
                "which this machine does not offer")
        bench.note(note)
        return
    bench.record("instructions", peer=peer.key, by="perf", messages=messages, instructions=total)
    bench.figure(peer, "instructions", total / messages)


# --- system calls


def _count_calls(bench: Bench) -> None:
    if not shutil.which("strace"):
        bench.note("system calls: strace not found (package strace)")
        return
    for peer in servers(bench.peers):
        bench.say(f"echo: system calls of {peer.title}")
        bench.attempt(peer, "system calls", lambda: _calls(bench, peer))


def _calls(bench: Bench, peer: Peer) -> None:
    messages = bench.settings.traced_messages
    calls = tools.system_calls(bench.settings, peer.command, messages)
    for name, count in sorted(calls.items()):
        bench.record("system_calls", peer=peer.key, messages=messages, call=name, count=count)
    bench.figure(peer, "calls", sum(calls.values()) / messages)


# --- time


def _race(bench: Bench) -> None:
    """Takes turns: in each round every server echoes the same number of messages, so that a slow
    moment of the machine meets them all; the medians of the rounds' ratios are kept."""
    settings = bench.settings
    if settings.load_core == settings.server_core:
        bench.note("one core only: server and load generator share it")
    pin = pinned(settings.server_core)
    if not pin:
        bench.note("taskset not found (package util-linux): nothing is pinned")
    with ExitStack() as stack:
        running: list[tuple[Peer, Server]] = []
        for peer in servers(bench.peers):
            bench.attempt(peer, "start", lambda: running.append(
                (peer, stack.enter_context(Server(peer.command, pin)))))
        for peer, server in running:  # a JIT compiles and a collector finds its pace, unmeasured
            bench.attempt(peer, "warm-up", lambda: _session(bench, server, 20_000))
        rounds: dict[str, list[dict]] = {}
        for number in range(settings.rounds):
            bench.say(f"echo: time, round {number + 1} of {settings.rounds}")
            turn = number % len(running) if running else 0
            for peer, server in running[turn:] + running[:turn]:
                bench.attempt(peer, f"round {number + 1}", lambda: rounds.setdefault(
                    peer.key, []).append(_round(bench, peer, server, number)))
    _ratios(bench, rounds)


def _session(bench: Bench, server: Server, messages: int) -> dict[str, float]:
    """Echoes messages and adds the CPU that the server spent on them."""
    settings = bench.settings
    pin = pinned(settings.load_core)
    words = ["--messages", str(messages), "--warm", "1", "--hold"]
    with Load(settings, "echo", server.port, *words, prefix=pin) as load:
        load.ready()
        before = proc.cpu_seconds(server.pid)
        load.go_on()
        result = figures(load.line())
        result["server_cpu_seconds"] = proc.cpu_seconds(server.pid) - before
        load.finish()
    return result


def _round(bench: Bench, peer: Peer, server: Server, number: int) -> dict[str, float]:
    result = _session(bench, server, bench.settings.messages)
    bench.record("time", peer=peer.key, round=number + 1, **result)
    return {"round": number, **result}


def _ratios(bench: Bench, rounds: dict[str, list[dict]]) -> None:
    def against(key: str, base: str, figure: str) -> float | None:
        """The median ratio over the rounds in which both were measured."""
        bases = {row["round"]: row[figure] for row in rounds.get(base, [])}
        ratios = [row[figure] / bases[row["round"]] for row in rounds.get(key, [])
                  if bases.get(row["round"])]
        return statistics.median(ratios) if ratios else None

    for peer in servers(bench.peers):
        bench.figure(peer, "rate", against(peer.key, "raw", "per_second"))
        bench.figure(peer, "cpu", against(peer.key, "raw", "server_cpu_seconds"))
        bench.figure(peer, "rate_to_luv", against(peer.key, "luv", "per_second"))
    if "raw" in rounds:
        rate = statistics.median(row["per_second"] for row in rounds["raw"])
        cpu = statistics.median(row["server_cpu_seconds"] / row["messages"]
                                for row in rounds["raw"])
        bench.note(f"raw C in this run: {rate:,.0f} messages/s, "
                           f"{cpu * 1e6:.2f} microseconds of CPU a message")
    else:
        raise Failure("raw C was not measured, so there are no ratios")
