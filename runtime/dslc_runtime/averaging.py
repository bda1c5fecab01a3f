"""The running mean of weights: how much of it each update keeps, a pure function of the update's number."""

from __future__ import annotations

from collections.abc import Callable


def kept(decay: float, warmup: bool) -> Callable[[int], float]:
    """The share k of the old mean in ``mean <- k mean + (1 - k) weights`` at update t, counted from 1.

    It is 0 at the first update, so that first values have no part in the mean, as torch.optim.swa_utils.AveragedModel; then
    `decay`, or with `warmup` min(decay, t / (t + 9)), as TensorFlow's ExponentialMovingAverage with its number of updates.
    """
    if warmup:
        return lambda t: 0.0 if t == 1 else min(decay, t / (t + 9))
    return lambda t: 0.0 if t == 1 else decay
