"""Samples of pools: windows that touch, overlap and leave a rest, padding on either side, ties, one to three axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sample import Array, Sample, integers, strided, values

from dslc.ops.ir import Attr

_TIED = np.array([1.0, 2.0, 2.0, 0.0, 2.0, 1.0, 1.0, 1.0, 0.0]).reshape(1, 1, 3, 3)


def _apart(seed: int, *shape: int) -> Array:
    """Numbers of which no two are near each other: a maximum is smooth there."""
    count = int(np.prod(shape))
    return (np.random.default_rng(seed).permutation(count) / max(1, count) * 4 - 2).reshape(shape)


def _pools(seed: int, axes: int, **options: Attr) -> list[Sample]:
    """A pool over some number of axes."""
    sizes = (5, 6, 4)[:axes]
    return [
        Sample((_apart(seed, 2, 2, *sizes),), {"window": 2, **options}, cancels=True),
        Sample((_apart(seed + 1, 1, 2, *sizes),), {"window": 3, "stride": 1, "pad": 1, **options}, cancels=True),
        Sample((_apart(seed + 2, 1, 1, *sizes),), {"window": 3, "stride": 2, "pad": "same", **options}, cancels=True),
        Sample((_apart(seed + 3, 1, 1, *(1 for _ in sizes)),), {"window": 1, **options}, cancels=True),
        Sample(
            (strided(_apart(seed + 4, 1, 2, *sizes)),),
            {"window": (2, 1, 3)[:axes], "stride": 1, **options},
            cancels=True,
        ),
        Sample((_apart(seed + 5, 0, 2, *sizes),), {"window": 2, **options}),
    ]


def _adjoint(seed: int, g: Sequence[int], with_taps: bool, **attrs: Attr) -> Sample:
    window = attrs["window"]
    assert isinstance(window, tuple)
    taps = int(np.prod([size for size in window if isinstance(size, int)]))
    tap = integers(seed + 1, *g, low=0, high=taps, dtype=np.int32)
    pad = (0,) * (2 * len(window))
    return Sample(
        (values(seed, *g), tap) if with_taps else (values(seed, *g),),
        {"stride": window, "pad": pad, **attrs},
        cancels=True,
    )


def _adjoints(seed: int, with_taps: bool) -> list[Sample]:
    return [
        _adjoint(seed, (1, 1, 2, 1), with_taps, window=(2, 2), sizes=(4, 3)),
        _adjoint(seed + 2, (2, 2, 2, 3), with_taps, window=(3, 2), stride=(2, 1), sizes=(5, 4)),
        _adjoint(seed + 4, (1, 2, 3, 2), with_taps, window=(2, 3), stride=(2, 2), pad=(1, 1, 1, 0), sizes=(4, 4)),
        _adjoint(seed + 6, (1, 1, 3), with_taps, window=(2,), sizes=(7,)),
        _adjoint(seed + 8, (1, 1, 2, 1, 2), with_taps, window=(1, 2, 2), sizes=(2, 2, 5)),
        _adjoint(seed + 10, (0, 2, 2), with_taps, window=(2,), sizes=(4,)),
    ]


def _taken(seed: int, x: Sequence[int], places: Sequence[int], **attrs: Attr) -> Sample:
    return Sample(
        (values(seed, *x), integers(seed + 1, *places, low=0, high=4, dtype=np.int32)), {"window": 2, **attrs}
    )


POOLING: dict[str, list[Sample]] = {
    "max_pool": [
        *_pools(1000, 2),
        Sample((_TIED,), {"window": 2, "stride": 1}, smooth=False),
        Sample((np.array([[[np.nan, 1.0, np.inf, -np.inf]]]),), {"window": 2}, smooth=False, onnx=False),
    ],
    "max_pool_tap": [*_pools(1010, 2), Sample((_TIED,), {"window": 2, "stride": 1})],
    "take_tap": [
        _taken(1020, (1, 1, 2, 3), (1, 1, 1, 1)),
        _taken(1022, (2, 2, 4, 5), (2, 2, 2, 2)),
        _taken(1024, (2, 1, 3, 3), (2, 1, 2, 2), stride=1),
        _taken(1026, (1, 2, 3, 4), (1, 2, 2, 3), stride=2, pad=1),
        _taken(1028, (0, 2, 4, 4), (0, 2, 2, 2)),
    ],
    "put_tap": _adjoints(1040, with_taps=True),
    "avg_pool": [*_pools(1060, 2), *_pools(1070, 2, count_pad=False)],
    "spread": _adjoints(1080, with_taps=False),
    **{f"max_pool{axes}d": _pools(1100 + 10 * axes, axes) for axes in (1, 2, 3)},
    **{
        f"avg_pool{axes}d": [*_pools(1140 + 10 * axes, axes), *_pools(1180, axes, count_pad=False)]
        for axes in (1, 2, 3)
    },
}
