"""The plot: a panel a figure, a bar a server, as an SVG drawn by hand."""

from __future__ import annotations

import math
from xml.sax.saxutils import escape

from .bench import Bench, Column

WIDTH, PANEL_WIDTH, GAP = 980, 470, 40
LABEL, BAR, STEP, HEAD = 128, 15, 23, 44
OURS, YARDSTICK, OTHER, INK, FAINT = "#d9562b", "#5b6b7b", "#9db4c8", "#22303c", "#e3e8ed"
STYLE = """
  text { font: 12px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: %s }
  .title { font-size: 17px; font-weight: 600 } .panel { font-size: 13px; font-weight: 600 }
  .small { font-size: 10.5px; fill: %s }
""" % (INK, YARDSTICK)


def _colour(key: str) -> str:
    return {"luareact": OURS, "raw": YARDSTICK}.get(key, OTHER)


def _ticks(top: float, low: float, log: bool) -> list[float]:
    if log:
        return [10.0 ** power for power in range(round(math.log10(low)),
                                                 math.floor(math.log10(top)) + 1)]
    step = 10.0 ** math.floor(math.log10(top / 2))
    step *= next(factor for factor in (1, 2, 5, 10) if top / (step * factor) <= 5)
    return [step * number for number in range(int(top / step) + 1)]


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:g}"


def _panel(bench: Bench, column: Column, x: float, y: float) -> tuple[list[str], float]:
    """The shapes of one panel, and its height."""
    bars = [(peer.key, peer.title, bench.figures[peer.key][column.key]) for peer in bench.peers
            if column.key in bench.figures.get(peer.key, {})]
    room = PANEL_WIDTH - LABEL - 66
    top = max((value for _, _, value in bars), default=1) or 1
    smallest = min((value for _, _, value in bars if value > 0), default=1)
    low = 10.0 ** math.floor(math.log10(smallest / 1.5))
    log = column.log and top / smallest > 20  # a small range reads better on a plain scale

    def length(value: float) -> float:
        if not log:
            return max(0.0, value / top * room)
        return max(0.0, math.log(max(value, low) / low) / math.log(top / low) * room)

    height = HEAD + STEP * len(bars)
    shapes = [f'<text class="panel" x="{x}" y="{y + 14}">{escape(column.title)}'
              f'{" (log scale)" if log else ""}</text>']
    for tick in _ticks(top, low, log):
        at = x + LABEL + length(tick)
        shapes.append(f'<line x1="{at:.1f}" y1="{y + 36}" x2="{at:.1f}" y2="{y + height - 4}" '
                      f'stroke="{FAINT}"/>')
        shapes.append(f'<text class="small" x="{at:.1f}" y="{y + 31}" text-anchor="middle">'
                      f'{_short(tick)}</text>')
    for row, (key, title, value) in enumerate(bars):
        line = y + HEAD - 4 + row * STEP
        shapes.append(f'<text x="{x + LABEL - 8}" y="{line + 12}" text-anchor="end">'
                      f'{escape(title)}</text>')
        shapes.append(f'<rect x="{x + LABEL}" y="{line}" width="{max(length(value), 1):.1f}" '
                      f'height="{BAR}" rx="2" fill="{_colour(key)}"/>')
        shapes.append(f'<text x="{x + LABEL + length(value) + 6:.1f}" y="{line + 12}">'
                      f'{column.show.format(value)}</text>')
    return shapes, height


def draw(bench: Bench, columns: list[Column]) -> str:
    """Two panels a row; every row is as high as its higher panel."""
    shapes, y = [], 64.0
    for start in range(0, len(columns), 2):
        heights = []
        for side, column in enumerate(columns[start:start + 2]):
            drawn, height = _panel(bench, column, 20 + side * (PANEL_WIDTH + GAP / 2), y)
            shapes += drawn
            heights.append(height)
        y += max(heights) + 28
    settings = bench.settings
    subtitle = (f"{settings.connections} connections, {settings.size}-byte messages, one core "
                f"each for server and load; shorter is better, but for messages a second")
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH + 20} {y:.0f}" '
        f'width="{WIDTH + 20}" height="{y:.0f}">',
        f"<style>{STYLE}</style>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        '<text class="title" x="20" y="28">luareact beside its peers</text>',
        f'<text class="small" x="20" y="46">{escape(subtitle)}</text>',
        *shapes, "</svg>", ""])
