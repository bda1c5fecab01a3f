"""Samples of convolutions: one to three axes, strides, padding on either side, dilation, groups, windows that leave a rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sample import Sample, strided, values

from dslc.ops.ir import Attr


def _adjoint(seed: int, first: Sequence[int], second: Sequence[int], **options: Attr) -> Sample:
    attrs: dict[str, Attr] = {"stride": (1, 1), "pad": (0,) * 4, "dilation": (1, 1), "groups": 1, **options}
    return Sample((values(seed, *first), values(seed + 1, *second)), attrs, tolerance=1e-5, cancels=True)


def _conv(seed: int, x: Sequence[int], w: Sequence[int], **options: Attr) -> Sample:
    return Sample((values(seed, *x), values(seed + 1, *w)), options, tolerance=1e-5, cancels=True)


CONV: dict[str, list[Sample]] = {
    "conv": [
        _conv(900, (1, 1, 3), (1, 1, 2)),
        _conv(902, (2, 3, 7), (4, 3, 3), stride=2, pad=1),
        _conv(904, (2, 2, 5, 6), (3, 2, 3, 2), stride=(2, 1), pad=(1, 0, 2, 1)),
        _conv(906, (2, 4, 6, 6), (6, 2, 3, 3), pad="same", stride=2, groups=2),
        _conv(908, (1, 3, 5, 5), (3, 1, 2, 2), dilation=2, groups=3),
        _conv(910, (2, 2, 3, 4, 3), (2, 2, 2, 2, 2), pad=1),
        _conv(912, (0, 2, 4, 4), (3, 2, 3, 3)),
        _conv(914, (2, 3, 4, 4), (2, 3, 1, 1), stride=2, pad="same"),
        Sample(
            (strided(values(916, 2, 2, 4, 4)), strided(values(917, 3, 2, 2, 2))),
            {"pad": "valid"},
            tolerance=1e-5,
            cancels=True,
        ),
    ],
    "conv_input_grad": [
        _adjoint(920, (1, 1, 2, 2), (1, 1, 2, 1), sizes=(3, 2)),
        _adjoint(922, (2, 3, 3, 2), (3, 2, 3, 3), stride=(2, 2), pad=(1, 1, 1, 1), sizes=(6, 4)),
        _adjoint(924, (2, 4, 3, 3), (4, 1, 2, 2), groups=2, dilation=(2, 1), sizes=(5, 4)),
        _adjoint(926, (1, 2, 2, 2), (2, 2, 3, 3), stride=(2, 2), pad=(0, 1, 1, 0), sizes=(4, 4)),
        _adjoint(928, (0, 2, 2, 2), (2, 3, 2, 2), sizes=(3, 3)),
        _adjoint(930, (1, 1, 3), (1, 2, 2), stride=(2,), pad=(0, 0), dilation=(1,), sizes=(7,)),
    ],
    "conv_weight_grad": [
        _adjoint(940, (1, 1, 3, 2), (1, 1, 2, 2), sizes=(2, 1)),
        _adjoint(942, (2, 2, 6, 4), (2, 3, 3, 2), stride=(2, 2), pad=(1, 1, 1, 1), sizes=(3, 3)),
        _adjoint(944, (2, 4, 5, 4), (2, 6, 3, 3), groups=2, dilation=(2, 1), sizes=(2, 2)),
        _adjoint(946, (1, 2, 4, 4), (1, 2, 2, 2), stride=(2, 2), pad=(0, 1, 1, 0), sizes=(3, 3)),
        replace(_adjoint(948, (0, 2, 3, 3), (0, 1, 2, 2), sizes=(2, 2)), onnx=False),
        _adjoint(950, (1, 1, 7), (1, 2, 3), stride=(2,), pad=(0, 0), dilation=(1,), sizes=(2,)),
    ],
    "conv_transpose": [
        _conv(960, (1, 1, 3), (1, 1, 2)),
        _conv(962, (2, 3, 4), (3, 2, 3), stride=2, pad=1, output_pad=1),
        _conv(964, (2, 4, 3, 2), (4, 2, 2, 3), groups=2, stride=(1, 2)),
        _conv(966, (1, 2, 3, 3), (2, 2, 3, 3), dilation=2, pad=(1, 0)),
        _conv(968, (0, 2, 3, 3), (2, 1, 2, 2)),
        _conv(970, (1, 2, 2, 2, 2), (2, 1, 2, 2, 2), stride=2),
    ],
}
