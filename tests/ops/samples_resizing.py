"""Samples of padding, upsampling, and pools of whole images."""

from __future__ import annotations

from sample import Sample, strided, values

from dslc.ops.ir import Attr


def _each(seed: int, **options: Attr) -> list[Sample]:
    return [
        Sample((values(seed, 1, 2, 3),), options),
        Sample((values(seed + 1, 2, 1, 3, 4),), options),
        Sample((strided(values(seed + 2, 1, 2, 4, 3)),), options),
        Sample((values(seed + 3, 0, 2, 3),), options),
        Sample((values(seed + 4, 1, 1, 2, 3, 2),), options),
    ]


def _of_axes(seed: int, axes: int) -> list[Sample]:
    sizes = (5, 6)[:axes]
    return [
        *(Sample((values(seed + size, 2, 2, *sizes),), {"size": size}, cancels=True) for size in (1, 2, 3, 4, 5)),
        Sample((values(seed + 9, 0, 2, *sizes),), {"size": 2}),
        Sample((values(seed + 10, 1, 1, *(3, 2)[:axes]),), {"size": 2}),
        Sample((values(seed + 11, 1, 3, *(4, 7)[:axes]),), {"size": 3}),
        Sample((strided(values(seed + 12, 3, 1, *(7, 4)[:axes])),), {"size": 2}),
    ]


RESIZING: dict[str, list[Sample]] = {
    "pad": [
        *_each(1300, amount=1),
        *_each(1310, amount=1, mode="reflect"),
        *_each(1320, amount=2, mode="replicate"),
        *_each(1330, amount=2, mode="circular"),
        Sample((values(1340, 1, 2, 3),), {"amount": (0, 2), "value": 0.5}),
        Sample((values(1341, 1, 2, 4, 3),), {"amount": (2, 0, 1, 2), "mode": "reflect"}),
    ],
    "upsample": [
        *_each(1350, scale=2),
        *_each(1360, scale=3, mode="linear"),
        Sample((values(1370, 1, 1, 2, 3),), {"scale": (1, 2), "mode": "linear"}),
        Sample((values(1371, 1, 1, 1),), {"scale": 4, "mode": "linear"}),
    ],
    "global_avg_pool": _each(1380),
    "global_max_pool": [
        *(
            Sample((values(seed, 2, 2, *sizes),))
            for seed, sizes in enumerate(((3,), (3, 4), (2, 2, 2), (1, 1)), start=1390)
        ),
        Sample((strided(values(1394, 1, 2, 3, 4)),)),
    ],
    **{f"adaptive_{kind}_pool{axes}d": _of_axes(1400 + 20 * axes, axes) for kind in ("avg", "max") for axes in (1, 2)},
}
