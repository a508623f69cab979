"""The tasks group: what a task, a switch and a sleep cost, the memory of a parked task, and how
long a collection stops the program."""

from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

from . import proc, tools
from .bench import Bench, Column
from .idle import small_pages
from .load import settle
from .peers import Peer
from .processes import Failure, read_line, start, stop

NAME = "tasks"
TITLE = "tasks"
COLUMNS = [
    Column("scope", ("instructions a task,", "joined by its scope"),
           title="User instructions a task: spawned, run, joined", log=True),
    Column("join", ("… joined", "by its handle")),
    Column("yield", ("instructions", "a yield"), title="User instructions a yield", log=True),
    Column("chan", ("… a channel's", "there and back")),
    Column("sleep", ("… a sleep among", "others")),
    Column("parked", ("user bytes a", "parked task"), title="User bytes a parked task", log=True),
    Column("pause", ("GC pause at", "19,000, ms"), "{:.2f}"),
]
COUNTED = ["scope", "join", "yield", "chan", "sleep"]
PAUSES = [1_000, 5_000, 10_000, 19_000, 50_000, 100_000]
LIMIT = 600  # seconds that a program may take under valgrind


def measure(bench: Bench) -> None:
    peers = [peer for peer in bench.peers if peer.tasks_command]
    _count(bench, peers)
    with small_pages():
        for peer in peers:
            bench.say(f"tasks: memory of {bench.settings.parked_high:,} on {peer.title}")
            bench.attempt(peer, "parked tasks", lambda: _park(bench, peer))
    for peer in peers:
        if peer.pauses:
            bench.attempt(peer, "pauses", lambda: _pauses(bench, peer))


def _count(bench: Bench, peers: list[Peer]) -> None:
    """Runs each program with n and with 2n, on each core one."""
    if not shutil.which("valgrind"):
        return bench.note("instructions of tasks: valgrind not found (package valgrind)")
    n = bench.settings.tasks
    jobs = [(peer, kind, part) for kind in COUNTED for peer in peers for part in (2, 1)
            if kind not in peer.lacks]
    cores = SimpleQueue()
    for core in bench.settings.cores:
        cores.put(core)
    bench.say(f"tasks: {len(jobs)} programs under cachegrind")
    totals: dict[tuple[str, str, int], int] = {}

    def run(job: tuple[Peer, str, int]) -> None:
        peer, kind, part = job
        core = cores.get()

        def count() -> None:
            total = tools.references_of_program(
                bench.settings, [*peer.tasks_command, kind, str(part * n)], core, LIMIT)
            totals[peer.key, kind, part] = total
            bench.record("tasks", peer=peer.key, kind=kind, n=part * n, instructions=total)

        bench.attempt(peer, f"instructions of '{kind}'", count)
        cores.put(core)

    with ThreadPoolExecutor(len(bench.settings.cores)) as pool:
        list(pool.map(run, jobs))
    for peer, kind, part in jobs:
        if part == 1 and all((peer.key, kind, times) in totals for times in (1, 2)):
            difference = totals[peer.key, kind, 2] - totals[peer.key, kind, 1]
            bench.figure(peer, kind, difference / n)
    _to_plain(bench)


def _to_plain(bench: Bench) -> None:
    """A yield beside the resume and the yield of a plain coroutine."""
    ours, plain = bench.figures.get("luareact", {}), bench.figures.get("lua", {})
    if "yield" in ours and "yield" in plain:
        ours["yield_to_plain"] = ours["yield"] / plain["yield"]


def _park(bench: Bench, peer: Peer) -> None:
    low, high = bench.settings.parked_low, bench.settings.parked_high
    at_low, at_high = (_memory_parked(peer, count) for count in (low, high))
    slope = (at_high - at_low) / (high - low)
    bench.record("parked", peer=peer.key, low=low, high=high, private_low=at_low,
                 private_high=at_high, bytes_a_task=round(slope, 1))
    bench.figure(peer, "parked", slope)


def _memory_parked(peer: Peer, count: int) -> int:
    """Private memory of a program in which `count` tasks wait, in bytes."""
    child = start([*peer.tasks_command, "park", str(count)], stdin=subprocess.PIPE,
                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        if read_line(child, LIMIT) != "parked":
            raise Failure(f"{count:,} tasks did not park")
        return settle(lambda: proc.memory(child.pid), seconds=3, step=0.2)["Private_Dirty"]
    finally:
        stop(child)


def _pauses(bench: Bench, peer: Peer) -> None:
    """The longest stop of a collection, by the number of parked tasks."""
    bench.say(f"tasks: pauses of {peer.title}")
    curve = []
    for count in PAUSES:
        done = subprocess.run([*peer.tasks_command, "pause", str(count)], capture_output=True, text=True,
                              timeout=LIMIT, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise Failure(f"'pause' ended with {done.returncode}")
        curve.append((count, float(done.stdout)))
        bench.record("pauses", peer=peer.key, parked=count, milliseconds=curve[-1][1])
        if count == 19_000:
            bench.figure(peer, "pause", curve[-1][1])
    bench.curves.append((f"{peer.title}: the longest stop of a collection, ms, by parked tasks",
                         curve))
