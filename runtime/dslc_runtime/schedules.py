"""Learning rates: stages one after another and the steps of an epoch -> the rate of any step, a pure float64 function.

A stage starts at the rate where the one before ended, unless it says otherwise. Its own clock `j` counts steps from 0, so
that it is at its start for its first step and at its end for the first step after it; `n` is its length in steps. After the
last stage, the rate stays.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, floor, inf, pi
from typing import TypeAlias

Options: TypeAlias = Mapping[str, float]
Curve: TypeAlias = Callable[[float], float]  # steps since the stage began -> rate


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time: an amount of "steps" or "epochs"."""

    amount: float
    unit: str

    def steps(self, per_epoch: int) -> int:
        """In whole steps, at least one."""
        return max(1, round(self.amount * (per_epoch if self.unit == "epochs" else 1)))


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage.

    Attributes:
        kind: one of `CURVES`.
        length: how long it lasts; None for ever.
        every: the period of `exponential` and `step_decay`.
        start: the rate it starts at; None for where the one before ended.
        options: its other numbers; the curves are given `cuts` beside them.
    """

    kind: str
    length: Span | None
    every: Span | None
    start: float | None
    options: Options


def times(stages: Sequence[Stage], per_epoch: int) -> list[tuple[int, float]]:
    """How many steps are done when each stage begins and ends, where an epoch has `per_epoch` steps."""
    found: list[tuple[int, float]] = []
    at = 0
    for stage in stages:
        length = stage.length.steps(per_epoch) if stage.length is not None else 0
        found.append((at, at + length if length else inf))
        at += length
    return found


def schedule(stages: Sequence[Stage], per_epoch: int, cuts: int = 0) -> Callable[[int], float]:
    """The rate of each step, counted from 1, where an epoch has `per_epoch` steps.

    Args:
        cuts: how often a plateau has cut the rate.
    """
    spans = times(stages, per_epoch)
    begins = [begin for begin, _ in spans]
    curves: list[Curve] = []
    value = 0.0
    for stage, (begin, end) in zip(stages, spans, strict=True):
        period = stage.every.steps(per_epoch) if stage.every is not None else 1
        start = value if stage.start is None else stage.start
        curve = CURVES[stage.kind](start, end - begin, period, {**stage.options, "cuts": cuts})
        curves.append(curve)
        value = curve(end - begin if end < inf else 0)
    if len(stages) == 1 and stages[0].kind == "constant":
        return lambda _: value
    end = spans[-1][1]

    def rate(step: int) -> float:
        done = step - 1
        if done >= end:
            return value
        which = bisect_right(begins, done) - 1
        return curves[which](done - begins[which])

    return rate


def _constant(start: float, n: float, period: int, options: Options) -> Curve:
    """`start`."""
    del n, period, options
    return lambda _: start


def _warmup(start: float, n: float, _: int, options: Options) -> Curve:
    """start + (to - start) (j + 1) / n: step 1 moves already, and step n has `to`.

    Goyal et al., Accurate, large minibatch SGD: training ImageNet in 1 hour, 2017.
    """
    to = options["to"]
    return lambda j: start + (to - start) * min((j + 1) / n, 1.0)


def _linear(start: float, n: float, _: int, options: Options) -> Curve:
    """start + (to - start) j / n."""
    to = options["to"]
    return lambda j: start + (to - start) * (j / n)


def _polynomial(start: float, n: float, _: int, options: Options) -> Curve:
    """to + (start - to) (1 - j / n)^power."""
    to, power = options["to"], options["power"]
    return lambda j: to + (start - to) * (1 - j / n) ** power


def _cosine(start: float, n: float, _: int, options: Options) -> Curve:
    """to + (start - to) (1 + cos(pi j / n)) / 2. Loshchilov and Hutter, SGDR, ICLR 2017, without restarts."""
    to = options["to"]
    return lambda j: to + (start - to) * (1 + cos(pi * j / n)) / 2


def _exponential(start: float, _: float, period: int, options: Options) -> Curve:
    """start factor^(j / period)."""
    factor = options["factor"]
    return lambda j: start * factor ** (j / period)


def _step_decay(start: float, _: float, period: int, options: Options) -> Curve:
    """start factor^floor(j / period)."""
    factor = options["factor"]
    return lambda j: start * factor ** floor(j / period)


def _one_cycle(_: float, n: float, __: int, options: Options) -> Curve:
    """From peak / div to `peak` and on to peak / (div final_div) along two half cosines; `warm` is the first one's share.

    It reaches the peak at j = warm n - 1 and the end at j = n - 1, as torch.optim.lr_scheduler.OneCycleLR. Smith and Topin,
    Super-convergence, 2018.
    """
    peak = options["peak"]
    low, end = peak / options["div"], peak / options["div"] / options["final_div"]
    top, last = options["warm"] * n - 1, n - 1

    def rate(j: float) -> float:
        if j <= top:
            return _half_cosine(low, peak, j / top if top > 0 else 1.0)
        return _half_cosine(peak, end, min((j - top) / (last - top), 1.0) if last > top else 1.0)

    return rate


def _plateau(start: float, _: float, __: int, options: Options) -> Curve:
    """`start`, made smaller `cuts` times: rate <- max(rate factor, min_lr)."""
    rate = start
    for _ in range(int(options["cuts"])):
        rate = max(rate * options["factor"], options["min_lr"])
    return lambda _: rate


def _half_cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + cos(pi * share)) / 2


CURVES: Mapping[str, Callable[[float, float, int, Options], Curve]] = {
    "constant": _constant,
    "warmup": _warmup,
    "linear": _linear,
    "polynomial": _polynomial,
    "cosine": _cosine,
    "exponential": _exponential,
    "step_decay": _step_decay,
    "one_cycle": _one_cycle,
    "plateau": _plateau,
}
