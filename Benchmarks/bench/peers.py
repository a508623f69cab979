"""The servers that are measured, in the order of the table, and how each is found."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from typing import Callable

from . import build
from .processes import Failure
from .settings import FOLDER, Settings

PEERS = FOLDER / "peers"
OURS = FOLDER / "luareact"


@dataclass
class Peer:
    key: str
    title: str
    package: str  # what installs it
    find: Callable[[Settings], list[str] | None]  # the server's command; None when missing
    counter: str = "callgrind"  # or "perf": callgrind cannot follow a JIT or Go's stacks
    script: list[str] | None = None  # runs a script: measured at start-up with an empty one
    suffix: str = ".lua"
    leftovers: bool = False  # its server script answers with its own counters
    # The command that takes KIND N of the tasks group, from the settings and the server's.
    tasks: Callable[[Settings, list[str]], list[str]] | None = None
    lacks: frozenset[str] = frozenset()  # kinds that it has not
    pauses: bool = False     # it measures the pauses of its collector
    version: Callable[[list[str]], str] = lambda command: ""
    command: list[str] = field(default_factory=list)
    tasks_command: list[str] = field(default_factory=list)


def _output(*command: str) -> str:
    """The first line a program prints, on either stream."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20,
                              stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = (done.stdout.strip() or done.stderr.strip()).splitlines()
    return lines[0].strip() if done.returncode == 0 and lines else ""


def _lua(module: str, script: str) -> Callable[[Settings], list[str] | None]:
    """A server in stock Lua 5.4 that needs a module."""
    def find(_settings: Settings) -> list[str] | None:
        if not shutil.which("lua5.4") or _output(
                "lua5.4", "-e", f"require '{module}' print 'found'") != "found":
            return None
        return ["lua5.4", str(PEERS / script)]
    return find


def _ours(settings: Settings) -> list[str] | None:
    if not settings.luareact.is_file():
        return None
    return [str(settings.luareact), str(OURS / "echo.lua")]


def _raw(settings: Settings) -> list[str] | None:
    return [str(build.raw(settings))] if build.compiler() else None


def _tokio(settings: Settings) -> list[str] | None:
    if not shutil.which("cargo") or not any(build.CRATES.glob("tokio-[0-9]*")):
        return None
    return [str(build.tokio(settings))]


def _go(settings: Settings) -> list[str] | None:
    return [str(build.go(settings, "echo"))] if shutil.which("go") else None


def _node(_settings: Settings) -> list[str] | None:
    return ["node", str(PEERS / "echo.js")] if shutil.which("node") else None


def _plain(_settings: Settings) -> list[str] | None:
    """The interpreter alone: it serves nothing, and starts faster than any of the others."""
    return ["lua5.4"] if shutil.which("lua5.4") else None


ALL = [
    Peer("luareact", "luareact", "built by: make build", _ours, script=[], leftovers=True,
         tasks=lambda _, command: [command[0], str(OURS / "tasks.lua")], lacks=frozenset({"chan"}), pauses=True,
         version=lambda command: _output(command[0], "-v")),
    Peer("raw", "raw C, epoll", "gcc", _raw),
    Peer("tokio", "tokio, one thread", "librust-tokio-dev, cargo", _tokio,
         version=lambda _: next((at.name for at in build.CRATES.glob("tokio-[0-9]*")), "")),
    Peer("luv", "luv, callbacks", "lua-luv", _lua("luv", "echo_luv.lua"),
         version=lambda _: _output("lua5.4", "-e", "print(require 'luv'.version_string())")),
    Peer("luv-coroutine", "luv, coroutines", "lua-luv", _lua("luv", "echo_luv_coroutine.lua")),
    Peer("cqueues", "cqueues", "lua-cqueues", _lua("cqueues", "echo_cqueues.lua"),
         tasks=lambda _, command: [command[0], str(PEERS / "tasks_cqueues.lua")],
         lacks=frozenset({"join", "chan"}),
         version=lambda _: _output("lua5.4", "-e", "print(require 'cqueues'.VERSION)")),
    Peer("eco", "lua-eco", "lua-eco, from its own sources", _lua("eco", "echo_eco.lua")),
    Peer("go", "Go", "golang-go", _go, counter="perf", version=lambda _: _output("go", "version"),
         tasks=lambda settings, _: [str(build.go(settings, "tasks"))]),
    Peer("node", "Node", "nodejs", _node, counter="perf", script=[], suffix=".js",
         version=lambda _: _output("node", "--version")),
    Peer("lua", "lua5.4 alone", "lua5.4", _plain, script=[],
         tasks=lambda _, command: [command[0], str(PEERS / "tasks_plain.lua")],
         lacks=frozenset({"chan", "sleep"}),
         version=lambda _: _output("lua5.4", "-v")),
]

KEYS = [peer.key for peer in ALL]

# What a group's ratios are taken to: measured even where `--only` does not name it.
BASES = {"raw": ["echo"], "lua": ["startup", "tasks"]}


def discover(settings: Settings) -> tuple[list[Peer], list[str]]:
    """The peers to measure, and a line for each that is skipped."""
    found, skipped = [], []
    for peer in ALL:
        base = any(group in settings.groups for group in BASES.get(peer.key, []))
        if settings.only and peer.key not in settings.only and not base:
            continue
        try:
            command = peer.find(settings)
        except Failure as problem:
            skipped.append(f"{peer.title}: did not build: {problem}")
            continue
        if command is None:
            skipped.append(f"{peer.title}: not found ({peer.package})")
            continue
        peer.command = command
        if peer.script is not None:
            peer.script = [command[0]]
        if peer.tasks is not None:
            peer.tasks_command = peer.tasks(settings, command)
        found.append(peer)
    return found, skipped


def servers(peers: list[Peer]) -> list[Peer]:
    return [peer for peer in peers if peer.key != "lua"]
