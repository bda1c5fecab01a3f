"""Samples of what the engine runs with channels last: those of convolutions and pools, turned; and places apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from sample import Array, Sample, values
from samples_pooling import POOLING

from dslc.ops.channels_last import CHANNELS_LAST as OPERATORS
from dslc.ops.ir import Attr


def _turned(sample: Sample) -> Sample:
    """The same images with channels last, lying in memory as they did."""
    operands = tuple(np.moveaxis(o, 1, -1) if isinstance(o, np.ndarray) else o for o in sample.operands)
    return replace(sample, operands=operands)


def _numbers(seed: int, *shape: int) -> Array:
    """Whole numbers, of which sums are exact in any order."""
    return np.rint(2 * values(seed, *shape))


def _conv(seed: int, x: Sequence[int], w: Sequence[int], **options: Attr) -> Sample:
    return Sample((_numbers(seed, *x), _numbers(seed + 1, *w)), options, cancels=True)


def _first_in_memory(sample: Sample) -> Sample:
    """The same where the first operand has its channels first in memory."""
    first, *others = sample.operands
    assert isinstance(first, np.ndarray)
    return replace(sample, operands=(np.moveaxis(np.ascontiguousarray(np.moveaxis(first, -1, 1)), 1, -1), *others))


def _adjoint(seed: int, first: Sequence[int], second: Sequence[int], **options: Attr) -> Sample:
    attrs: dict[str, Attr] = {"stride": (1, 1), "pad": (0,) * 4, "dilation": (1, 1), "apart": (1, 1), **options}
    return Sample((_numbers(seed, *first), _numbers(seed + 1, *second)), attrs, cancels=True)


def _largest(seed: int, taps: int, *shape: int) -> Sample:
    x = np.random.default_rng(seed).integers(-1, 2, (taps, *shape)).astype(float)
    return Sample((values(seed + 1, *shape), x.max(0), x), smooth=False)


def _many(seed: int, taps: int, number: int) -> Sample:
    x: Array = np.random.default_rng(seed).integers(-1, 2, (taps, number)).astype(float)
    return Sample((values(seed + 1, number), x.max(0), x), smooth=False)


CHANNELS_LAST: dict[str, list[Sample]] = {
    "conv_last": [
        _conv(1300, (1, 3, 1), (1, 1, 2)),
        _conv(1302, (2, 7, 3), (4, 3, 3), stride=2, pad=1),
        _conv(1304, (2, 5, 6, 2), (3, 2, 3, 2), stride=(2, 1), pad=(1, 0, 2, 1)),
        _conv(1306, (2, 7, 6, 3), (4, 3, 2, 3), apart=(2, 2)),
        _conv(1308, (1, 9, 8, 2), (3, 2, 2, 2), dilation=2, apart=(3, 2), pad=1),
        _conv(1310, (2, 9, 9, 8), (3, 8, 3, 3), apart=(2, 1), stride=2),
        _conv(1312, (0, 4, 4, 2), (3, 2, 3, 3), apart=2),
        _conv(1314, (2, 4, 4, 3), (5, 3, 1, 1)),
        _conv(1316, (2, 3, 4, 3, 2), (2, 2, 2, 2, 2), pad=1),
        _first_in_memory(_conv(1318, (2, 8, 8, 3), (4, 3, 3, 3), apart=2)),
        _conv(1320, (80, 14, 14, 6), (4, 6, 5, 5), apart=2),
    ],
    "conv_input_grad_last": [
        _adjoint(1330, (1, 2, 2, 1), (1, 1, 2, 1), sizes=(3, 2)),
        _adjoint(1332, (2, 3, 2, 3), (3, 2, 3, 3), stride=(2, 2), pad=(1, 1, 1, 1), sizes=(6, 4)),
        _adjoint(1334, (2, 3, 3, 4), (4, 2, 2, 2), dilation=(2, 1), sizes=(5, 4)),
        _adjoint(1336, (1, 2, 2, 2), (2, 3, 2, 2), dilation=(1, 2), sizes=(3, 4)),
        _adjoint(1338, (4, 2, 2, 1, 3), (3, 2, 3, 3), apart=(2, 2), sizes=(6, 5)),
        _adjoint(1340, (2, 1, 3, 2), (2, 2, 3), stride=(2,), pad=(1, 0), dilation=(1,), apart=(2,), sizes=(14,)),
        _adjoint(1342, (0, 2, 2, 2), (2, 3, 2, 2), sizes=(3, 3)),
        _adjoint(1344, (2, 4, 4, 5), (5, 3, 1, 1), sizes=(4, 4)),
        _adjoint(1346, (4, 80, 5, 5, 4), (4, 6, 5, 5), apart=(2, 2), sizes=(14, 14)),
    ],
    "conv_weight_grad_last": [
        _adjoint(1350, (1, 3, 2, 1), (1, 2, 2, 1), sizes=(2, 1)),
        _adjoint(1352, (2, 6, 4, 2), (2, 3, 2, 3), stride=(2, 2), pad=(1, 1, 1, 1), sizes=(3, 3)),
        _adjoint(1354, (2, 5, 4, 4), (2, 3, 3, 6), dilation=(2, 1), sizes=(2, 2)),
        _adjoint(1356, (2, 7, 6, 3), (4, 2, 3, 2, 4), apart=(2, 2), sizes=(2, 3)),
        _adjoint(1358, (0, 3, 3, 2), (0, 2, 2, 1), sizes=(2, 2)),
        _adjoint(1360, (1, 7, 1), (1, 3, 2), stride=(2,), pad=(0, 0), dilation=(1,), apart=(1,), sizes=(2,)),
        _first_in_memory(_adjoint(1362, (2, 8, 8, 3), (4, 2, 3, 3, 4), apart=(2, 2), sizes=(3, 3))),
        _adjoint(1364, (2, 4, 4, 3), (2, 4, 4, 5), sizes=(1, 1)),
        _adjoint(1366, (80, 14, 14, 6), (4, 80, 5, 5, 4), apart=(2, 2), sizes=(5, 5)),
    ],
    **{
        op.name: [_turned(sample) for sample in POOLING[op.name.removesuffix("_last")]]
        for op in OPERATORS
        if op.name.removesuffix("_last") in POOLING
    },
    "put_largest": [
        _largest(1370, 1, 3),
        _largest(1372, 2, 3, 2),
        _largest(1374, 4, 2, 3, 2),
        _largest(1376, 3, 0, 2),
        _many(1378, 4, 40_000),
    ],
}
