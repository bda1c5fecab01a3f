"""Line charts as inline SVG: points per epoch -> text. Only numbers reach it.

Colours are attributes, so that a chart shows anywhere, and classes, so that a page's style can replace them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

WIDTH, HEIGHT = 460, 230
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 10, 26
MAX_POINTS = 600
_COLORS = {"train": "#2563b8", "val": "#d9730d"}
_TEXT = 'fill="#5b6575" font-size="11" font-family="system-ui, sans-serif"'


@dataclass(frozen=True, slots=True)
class Curve:
    """One line: a label of the report's own, a CSS class ("train" or "val"), and (epoch, value) pairs.

    Values that are missing break the line.
    """

    label: str
    css: str
    points: tuple[tuple[int, float | None], ...]


def chart(curves: Sequence[Curve], best_epoch: int = 0) -> str:
    """An SVG of the curves with a grid, round tick values, and a mark at the best epoch."""
    values = [y for curve in curves for _, y in curve.points if y is not None and isfinite(y)]
    epochs = [x for curve in curves for x, _ in curve.points]
    if not values:
        return f'<svg viewBox="0 0 {WIDTH} 40" role="img"><text {_TEXT} x="{LEFT}" y="24">no finite values</text></svg>'
    ticks = round_ticks(min(values), max(values))
    area = _Area(min(epochs), max(epochs), min(ticks[0], *values), max(ticks[-1], *values))
    parts = [*area.grid(ticks), *area.mark(best_epoch), *(line for curve in curves for line in area.lines(curve))]
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(parts)}</svg>'


@dataclass(frozen=True, slots=True)
class _Area:
    """Where a chart draws: its epochs run across, its values from the bottom up."""

    first: int
    last: int
    low: float
    high: float

    def grid(self, ticks: Sequence[float]) -> Iterator[str]:
        """A line and a number for each value of `ticks`; the epochs under them."""
        for tick in ticks:
            y = self._down(tick)
            yield f'<line class="grid" stroke="#dfe3ea" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text {_TEXT} x="{LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>'
        for tick in whole_ticks(self.first, self.last):
            x = self._across(tick)
            yield f'<text {_TEXT} x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{tick}</text>'

    def mark(self, epoch: int) -> Iterator[str]:
        """A line at an epoch, if it is one of several."""
        if self.first <= epoch <= self.last and self.last > self.first:
            x = self._across(epoch)
            ends = f'x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"'
            yield f'<line class="best" stroke="#5b6575" stroke-dasharray="3 4" {ends}/>'

    def lines(self, curve: Curve) -> Iterator[str]:
        """A line for each run of finite values, a point where it is one."""
        color = _COLORS[curve.css]
        for run in _runs(_thinned(curve.points)):
            if len(run) == 1:
                x, y = self._across(run[0][0]), self._down(run[0][1])
                yield f'<circle class="{curve.css}" fill="{color}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
                continue
            line = " ".join(f"{self._across(x):.1f},{self._down(y):.1f}" for x, y in run)
            yield f'<polyline class="{curve.css}" fill="none" stroke="{color}" stroke-width="2" points="{line}"/>'

    def _across(self, x: float) -> float:
        share = (x - self.first) / (self.last - self.first) if self.last > self.first else 0.5
        return LEFT + (WIDTH - LEFT - RIGHT) * share

    def _down(self, y: float) -> float:
        share = (y - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share


def round_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten that cover [low, high]."""
    span = high - low or abs(high) or 1.0
    rough = span / about
    power = 10.0 ** floor(log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if rough <= power * m)
    first, last = floor(low / step), ceil(high / step)
    if first == last:
        first, last = first - 1, last + 1
    return [round(i * step, 12) if abs(step) > 1e-9 else i * step for i in range(first, last + 1)]


def whole_ticks(first: int, last: int, about: int = 6) -> list[int]:
    """Round whole numbers in [first, last], the first one included."""
    step = max(1, int(round_ticks(0, max(last - first, 1), about)[1]))
    return [first, *(x for x in range((first // step + 1) * step, last + 1, step) if x - first >= step / 2)]


def _thinned(points: Sequence[tuple[int, float | None]]) -> Sequence[tuple[int, float | None]]:
    """At most `MAX_POINTS` points, evenly chosen, the last one always."""
    if len(points) <= MAX_POINTS:
        return points
    stride = ceil(len(points) / MAX_POINTS)
    return [*points[:-1:stride], points[-1]]


def _runs(points: Sequence[tuple[int, float | None]]) -> Iterator[list[tuple[int, float]]]:
    """Stretches without missing values."""
    run: list[tuple[int, float]] = []
    for x, y in points:
        if y is not None and isfinite(y):
            run.append((x, y))
            continue
        if run:
            yield run
        run = []
    if run:
        yield run
