"""The goals, and whether this run reaches them."""

from __future__ import annotations

from dataclasses import dataclass

from .bench import Bench


@dataclass(frozen=True)
class Goal:
    group: str
    figure: str          # of luareact
    text: str
    limit: float
    wish: float | None = None  # the better figure we work towards
    at_least: bool = False
    show: str = "{:,.0f}"

    def holds(self, value: float, limit: float) -> bool:
        return value >= limit if self.at_least else value <= limit

    def bound(self) -> str:
        words = ("at least " if self.at_least else "at most ") + self.show.format(self.limit)
        return words if self.wish is None else f"{words} (goal {self.show.format(self.wish)})"

    def verdict(self, value: float) -> str:
        if not self.holds(value, self.limit):
            return "not reached"
        if self.wish is None:
            return "reached"
        return "reached, goal too" if self.holds(value, self.wish) else "reached, goal not yet"


ALL = [
    Goal("echo", "instructions", "user instructions a message", 2_000, wish=1_750),
    Goal("echo", "calls", "system calls a message", 2.10, show="{:.2f}"),
    Goal("echo", "cpu", "CPU a message, x raw C", 1.15, show="{:.2f}"),
    Goal("echo", "rate_to_luv", "messages/s, x luv callbacks", 1.2, at_least=True,
         show="{:.2f}"),
    Goal("idle", "bytes", "user bytes an idle connection", 1_450, wish=1_400),
    Goal("tasks", "scope", "user instructions a task", 1_500),
    Goal("tasks", "yield_to_plain", "a yield, x plain resume and yield", 1.2, show="{:.2f}"),
    Goal("tasks", "parked", "user bytes a parked task", 1_300),
    Goal("tasks", "pause", "GC pause at 19,000 parked, ms", 5.0, show="{:.2f}"),
    # 4 ms where lua5.4 takes 1 ms: a ratio, so that it means the same on any machine.
    Goal("startup", "start_to_lua", "start-up, x lua5.4", 4.0, show="{:.2f}"),
]


def lines(bench: Bench) -> list[str]:
    """One line a goal of the groups that ran."""
    ours = bench.figures.get("luareact", {})
    rows = []
    for goal in ALL:
        if goal.group not in bench.settings.groups:
            continue
        value = ours.get(goal.figure)
        shown = "-" if value is None else goal.show.format(value)
        verdict = "not measured" if value is None else goal.verdict(value)
        rows.append(f"  {goal.text:<32}{shown:>8}   {goal.bound():<30}{verdict}")
    return rows
