"""What /proc tells about a process."""

from __future__ import annotations

import os
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """User and system time of all its threads, in seconds.

    schedstat counts nanoseconds on the core; `stat` counts ticks of 10 ms, the fallback where a
    kernel is built without it."""
    try:
        return sum(int((task / "schedstat").read_text().split()[0])
                   for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9
    except (OSError, IndexError, ValueError):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> dict[str, int]:
    """Bytes by name, from smaps_rollup: Private_Dirty, Anonymous, AnonHugePages, Rss, ..."""
    found = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, amount = line.split(":")
        found[name] = int(amount.split()[0]) * 1024
    return found


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads(pid: int) -> list[int]:
    return [int(name) for name in os.listdir(f"/proc/{pid}/task")]


def traced(pid: int) -> bool:
    """Whether a tracer is attached to every thread."""
    for thread in threads(pid):
        status = Path(f"/proc/{pid}/task/{thread}/status").read_text()
        if "\nTracerPid:\t0\n" in status:
            return False
    return True
