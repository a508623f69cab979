"""The idle group: memory of a connection that waits, and what 8,000 of them leave behind."""

from __future__ import annotations

import ctypes
import re
import socket
import statistics
from contextlib import contextmanager

from . import proc
from .bench import Bench, Column
from .load import Load, settle
from .peers import OURS, Peer, servers
from .processes import Failure, Server

NAME = "idle"
TITLE = "servers"
COLUMNS = [
    Column("bytes", ("user bytes an", "idle connection"),
           title="User bytes an idle connection", log=True),
    Column("left", ("left over after", "8,000 closed"), "{}"),
]

# Counters of `reactor.metrics()` that tell how many of a thing exist.
STANDING = {"slots", "handles", "tasks", "coroutines", "registrations", "waiters", "timers"}

_PR_SET_THP_DISABLE = 41


@contextmanager
def small_pages():
    """Children started inside get pages of 4 KiB: a huge page would round 7,000 connections to
    the next 2 MiB. Inherited by a child, kept over exec; where it is refused nothing changes."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(_PR_SET_THP_DISABLE, 0, 0, 0, 0)


def measure(bench: Bench) -> None:
    with small_pages():
        for peer in servers(bench.peers):
            bench.say(f"idle: {bench.settings.idle_high:,} connections on {peer.title}")
            bench.attempt(peer, "idle connections", lambda: _slopes(bench, peer))
            if peer.leftovers:
                bench.attempt(peer, "counters", lambda: _counters(bench, peer))


def _slopes(bench: Bench, peer: Peer) -> None:
    readings = [_slope(bench, peer, number) for number in range(bench.settings.idle_rounds)]
    bench.figure(peer, "bytes", statistics.median(slope for slope, _ in readings))
    bench.figure(peer, "left", f"{max(left for _, left in readings)} fd")


def _slope(bench: Bench, peer: Peer, number: int) -> tuple[float, int]:
    """Bytes a connection between the low and the high count, and descriptors left at the end."""
    settings = bench.settings
    low, high = settings.idle_low, settings.idle_high
    with Server(peer.command) as server:
        base = _base(bench, server)
        with Load(settings, "idle", server.port, connections=low) as first:
            first.ready()
            at_low = _memory(server)
            with Load(settings, "idle", server.port, connections=high - low) as second:
                second.ready()
                at_high = _memory(server)
                second.finish()
            first.finish()
        left = _left(server, base)
        after = _memory(server)
    slope = (at_high["Private_Dirty"] - at_low["Private_Dirty"]) / (high - low)
    bench.record("idle", peer=peer.key, round=number + 1, low=low, high=high,
                 private_low=at_low["Private_Dirty"], private_high=at_high["Private_Dirty"],
                 private_after=after["Private_Dirty"],
                 anonymous_low=at_low["Anonymous"], anonymous_high=at_high["Anonymous"],
                 huge_high=at_high["AnonHugePages"], bytes_a_connection=round(slope, 1),
                 descriptors_base=base, descriptors_left=left)
    return slope, left


def _base(bench: Bench, server: Server) -> int:
    """Descriptors of a server that has served and closed one connection: some are made lazily."""
    with Load(bench.settings, "idle", server.port, connections=1) as load:
        load.ready()
        load.finish()
    return settle(lambda: proc.descriptors(server.pid), step=0.2)


def _memory(server: Server) -> dict[str, int]:
    return settle(lambda: proc.memory(server.pid), seconds=3, step=0.2)


def _left(server: Server, base: int) -> int:
    """Descriptors above the base once the server has noticed all ends of file."""
    return settle(lambda: proc.descriptors(server.pid), seconds=10, step=0.3) - base


# --- counters of our own


def _counters(bench: Bench, peer: Peer) -> None:
    """Opens, echoes and closes on a server that also tells its `reactor.metrics()`."""
    command = [peer.command[0], str(OURS / "leftovers.lua")]
    with Server(command) as server:
        control = server.second_port()
        base = _base(bench, server)
        before = _ask(control)
        with Load(bench.settings, "idle", server.port,
                  connections=bench.settings.idle_high) as load:
            load.ready()
            during = _ask(control)
            load.finish()
        left = _left(server, base)
        after = _ask(control)
    for name in sorted(before):
        bench.record("counters", peer=peer.key, counter=name, before=before[name],
                     during=during.get(name), after=after.get(name))
    grown = {name: _standing(after)[name] - count for name, count in _standing(before).items()}
    bench.figure(peer, "left", f"{left} fd, {sum(map(abs, grown.values())):g} other")
    words = ", ".join(f"{count:g} {name}" for name, count in grown.items())
    bench.note(f"{peer.title}: left over by its own counters: {words}")


def _standing(counters: dict[str, float]) -> dict[str, float]:
    """The counters of things that exist now, which must come back to where they were; the others
    only ever count up."""
    found = {name: value for name, value in counters.items()
             if name.split(".")[-1] in STANDING}
    if "registered" in counters and "registrations" not in found:
        found["registrations"] = counters["registered"] - counters.get("deregistered", 0)
    return found


def _ask(port: int) -> dict[str, float]:
    """The server's counters, from a line "name=number name=number"."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        answer = connection.makefile().readline().strip()
    pairs = re.findall(r"([\w.]+)=(-?[\d.]+)", answer)
    if not pairs:
        raise Failure(f"the server offers none (it answered {answer!r})")
    return {name: float(value) for name, value in pairs}
