"""Samples of the elementwise families: arithmetic, comparison, functions of one number, activations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sample import Array, Sample, bools, integers, strided, values

from dslc.tensor_type import DType

_SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 30.0, -30.0, 100.0, -100.0, np.inf, -np.inf, np.nan])


def unary(low: float = -2.0, high: float = 2.0, **attrs: float | str | None) -> list[Sample]:
    """Every shape that matters, within the range where the function is smooth."""
    arrays: list[Array] = [
        values(1, 3, 4, low=low, high=high),
        values(2, 1, low=low, high=high),
        values(3, low=low, high=high),
        values(4, 2, 0, 3, low=low, high=high),
        values(5, 2, 1, 5, low=low, high=high),
        strided(values(6, 4, 3, low=low, high=high)),
    ]
    return [Sample((x,), attrs) for x in arrays]


def _far(samples: list[Sample]) -> list[Sample]:
    """Samples that reach the tails, where ONNX Runtime's Sigmoid and Tanh are exact to 1e-7 absolutely, not relatively."""
    return [replace(sample, tolerance=1e-5) for sample in samples]


def special(**attrs: float | str | None) -> Sample:
    """Zeros, large numbers, infinities and nan: both forms of the kernel agree there too."""
    return Sample((_SPECIAL,), attrs, smooth=False, onnx=False)


def _binary(low: float = -2.0, high: float = 2.0, number: float = 1.3) -> list[Sample]:
    def v(seed: int, *shape: int) -> Array:
        return values(seed, *shape, low=low, high=high)

    return [
        Sample((v(1, 3, 4), v(2, 3, 4))),
        Sample((v(3, 3, 4), v(4, 4))),
        Sample((v(5, 3, 1), v(6, 1, 4))),
        Sample((v(7), v(8, 2, 3))),
        Sample((v(9, 0, 3), v(10, 3))),
        Sample((strided(v(11, 2, 3)), strided(v(12, 2, 3)))),
        Sample((v(13, 2, 3), number)),
        Sample((number, v(14, 2, 3))),
        Sample((v(15, 1), v(16, 1))),
    ]


def _whole(**ranges: int) -> list[Sample]:
    return [
        Sample((integers(1, 3, 4, **ranges), integers(2, 4, **ranges))),
        Sample((integers(3, 6, dtype=np.int32, **ranges), integers(4, 6, dtype=np.int32, **ranges))),
        Sample((integers(5, 6, dtype=np.int8, **ranges), integers(6, 6, dtype=np.int8, **ranges))),
        Sample((integers(7, 5, **ranges), 3)),
    ]


_TIED = Sample((np.array([1.0, 2.0, -3.0, 0.0]), np.array([1.0, 1.0, -3.0, -0.0])), smooth=False)
_LOGIC = [
    Sample((np.array([True, True, False, False]), np.array([True, False, True, False]))),
    Sample((bools(1, 3, 4), bools(2, 4))),
    Sample((bools(3, 3, 1), bools(4, 1, 2))),
    Sample((bools(5, 0, 2), bools(6, 2))),
    Sample((strided(bools(7, 3, 4)), bools(8, 3, 4))),
    Sample((bools(9), bools(10))),
]
_COMPARED = [*_binary(), *_whole(), _TIED, Sample((_SPECIAL, _SPECIAL[::-1]), smooth=False, onnx=False)]
_EXTREME = [*_binary(), *_whole(), _TIED, Sample((_SPECIAL, _SPECIAL[::-1]), smooth=False, onnx=False)]

_WHERE = [
    Sample((bools(1, 3, 4), values(2, 3, 4), values(3, 3, 4))),
    Sample((bools(4, 3, 1), values(5, 4), values(6))),
    Sample((bools(7), values(8, 2, 3), values(9, 2, 3))),
    Sample((bools(10, 0, 2), values(11, 2), values(12, 2))),
    Sample((strided(bools(13, 3, 4)), strided(values(14, 3, 4)), values(15, 3, 4))),
    Sample((bools(16, 5), values(17, 5), 0.0)),
    Sample((bools(18, 5), 0.5, values(19, 5))),
    Sample((bools(20, 5), integers(21, 5), integers(22, 5))),
    Sample((bools(23, 5), integers(24, 5, dtype=np.int8), integers(25, 5, dtype=np.int8))),
    Sample((bools(26, 5), bools(27, 5), bools(28, 5))),
    Sample((bools(29, 11), _SPECIAL, _SPECIAL[::-1].copy()), smooth=False, onnx=False),
]

_CAST = [
    Sample((values(1, 3, 4),), {"dtype": DType.F64}),
    Sample((values(2, 3, 4),), {"dtype": DType.F32}, smooth=False),
    Sample((values(3, 2, 3, low=-9, high=9),), {"dtype": DType.I64}),
    Sample((integers(4, 3, 1),), {"dtype": DType.F32}),
    Sample((bools(5, 4),), {"dtype": DType.F32}),
    Sample((np.array([0.0, -0.0, 0.5, -2.0]),), {"dtype": DType.BOOL}),
    Sample((values(6, 0, 3),), {"dtype": DType.I32}),
    Sample((strided(integers(7, 3, 4, low=0, dtype=np.uint8)),), {"dtype": DType.F32}),
    Sample((values(8),), {"dtype": DType.I8}),
    *(Sample((values(9, *shape),), {"dtype": DType.F64}) for shape in ((), (4,), (2, 3), (2, 1, 2))),
]


def _bounded(samples: list[Sample]) -> list[Sample]:
    return [replace(sample, attrs={"low": -2.0, "high": 3.0}) for sample in samples]


_HARD = Sample((np.array([-3.0, -1.0, 0.0, 1.0, 3.0, 1e30, -1e30]),), smooth=False)

_CLIP = [
    Sample((values(1, 3, 4),), {"low": -1.0, "high": 1.0}),
    Sample((values(2, 3, 4),), {"low": 0.0}),
    Sample((values(3, 1),), {"high": 1.0}),
    Sample((values(4, 0, 2),), {"low": -1.0, "high": 1.0}),
    Sample((strided(values(5, 2, 3)),), {"low": -1, "high": 1}),
    Sample((values(6),), {"low": 0.0, "high": 1.0}),
    Sample((integers(7, 9),), {"low": -2, "high": 3}),
    Sample((integers(8, 9, dtype=np.int8),), {"low": 0.0, "high": None}),
    Sample((np.array([-1.0, 1.0, 0.0, -1.5, 1.5]),), {"low": -1.0, "high": 1.0}, smooth=False),
    Sample((_SPECIAL,), {"low": -1.0, "high": 1.0}, smooth=False, onnx=False),
]

ELEMENTWISE: dict[str, list[Sample]] = {
    "add": [*_binary(), *_whole()],
    "sub": [*_binary(), *_whole()],
    "mul": [*_binary(), *_whole()],
    "div": [*_binary(0.3, 2.0), *_binary(-2.0, -0.3), Sample((_SPECIAL, _SPECIAL[::-1]), smooth=False, onnx=False)],
    "xlogy": [
        *_binary(0.2, 2.0),
        Sample((np.array([0.0, 0.0, 0.0, 2.0]), np.array([0.0, -1.0, 3.0, 0.0])), smooth=False),
    ],
    "pow": [
        *_binary(0.3, 2.0),
        Sample((values(1, 3, 4), 2.0)),
        Sample((values(2, 3, 4), 3.0)),
        Sample((values(3, 2, 3), -1.0)),
        *_whole(low=0),
        Sample((np.array([1, -1, -1, 2, 0, 3]), np.array([-3, -3, -2, -1, -1, 0])), onnx=False),
        Sample((np.array([0.0, 0.0, 2.0, -1.0]), np.array([0.0, 2.0, 0.0, 0.5])), smooth=False, onnx=False),
    ],
    "mod": [
        *_binary(0.3, 0.9),
        Sample((values(1, 20, low=-5, high=5), 0.83)),
        Sample((values(2, 20, low=-5, high=5), -0.83)),
        *(Sample((integers(i, 30), integers(i + 9, 30, low=1)), onnx=True) for i in range(2)),
        Sample((integers(3, 30), -3)),
        Sample((integers(4, 30, dtype=np.int8), integers(5, 30, low=-7, high=-1, dtype=np.int8))),
        Sample((np.array([-3.0, 3.0, -4.0, 0.0]), np.array([3.0, -3.0, 2.0, -5.0])), smooth=False),
    ],
    "minimum": _EXTREME,
    "maximum": _EXTREME,
    "neg": [*unary(), special(), Sample((integers(1, 6),))],
    "eq": [*_COMPARED, *_LOGIC],
    "ne": [*_COMPARED, *_LOGIC],
    "lt": _COMPARED,
    "le": _COMPARED,
    "gt": _COMPARED,
    "ge": _COMPARED,
    "logical_and": _LOGIC,
    "logical_or": _LOGIC,
    "logical_not": [Sample(sample.operands[:1]) for sample in _LOGIC],
    "where": _WHERE,
    "cast": _CAST,
    "stop_gradient": [Sample(s.operands, smooth=False) for s in unary()],
    "exp": [*unary(), special()],
    "log": [*unary(0.2, 3.0), special()],
    "sqrt": [*unary(0.2, 3.0), special()],
    "reciprocal": [*unary(0.3, 3.0), *unary(-3.0, -0.3), special()],
    "sin": [*unary(-7.0, 7.0), special()],
    "cos": [*unary(-7.0, 7.0), special()],
    "erf": [*unary(), *unary(-7.0, 7.0), special()],
    "normal_cdf": [*unary(), *_far(unary(-4.0, 4.0)), special()],
    "gelu_exact": [*_far(unary(-4.0, 4.0)), special()],
    "gelu_grad": [
        replace(sample, operands=(*sample.operands, values(9, 4)), tolerance=1e-5) for sample in _binary()[:3]
    ]
    + [
        Sample((values(10, 2, 3), values(11, 2, 3), values(12, 2, 3)), tolerance=1e-5),
        Sample((strided(values(13, 4)), strided(values(14, 4)), values(15, 4)), tolerance=1e-5),
        Sample((values(16), values(17), values(18)), tolerance=1e-5),
        Sample((values(19, 0, 2), values(20, 0, 2), values(21, 0, 2))),
    ],
    "normal_pdf": [*unary(), *unary(-4.0, 4.0), special()],
    "abs": [*unary(), special(), Sample((integers(1, 6),)), Sample((integers(2, 6, dtype=np.int8),))],
    "sign": [*unary(), special(), Sample((integers(1, 6),))],
    "square": [*unary(), special(), Sample((integers(1, 6),))],
    "floor": [*unary(-7.0, 7.0), special()],
    "round": [
        *(Sample((s.operands[0] + 0.5,)) for s in unary(-7.0, 7.0)),
        special(),
        Sample((np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]),), smooth=False),
    ],
    "clip": _CLIP,
    "sigmoid": [*unary(), *unary(-30.0, 30.0), special()],
    "tanh": [*unary(), *unary(-9.0, 9.0), special()],
    "relu": [*unary(), Sample((np.array([0.0, -0.0, 1.0]),), smooth=False), special()],
    "relu_grad": [*_binary(), Sample((np.ones(3), np.array([0.0, -1.0, 1.0])), smooth=False)],
    "leaky_relu": [*unary(), *unary(slope=0.2), *unary(slope=1.5), *unary(slope=-1.0), *unary(slope=1)],
    "prelu": [
        Sample((values(61, 3, 4), values(62, 4))),
        Sample((values(63, 2, 3, 2), values(64, 3)), {"axis": 1}),
        Sample((values(65, 2, 0), values(66, 1))),
        Sample((values(67), 0.25)),
        Sample((strided(values(68, 2, 3)), values(69))),
        Sample((np.array([0.0, -0.0, np.inf]), np.array([0.0])), smooth=False),
    ],
    "elu": [*unary(), *unary(alpha=0.3), *unary(alpha=2.0), special()],
    "softplus": [*unary(), *unary(-30.0, 30.0), special()],
    "gelu": [*unary(), *unary(-6.0, 6.0), *unary(approximate="tanh"), *_far(unary(-6.0, 6.0, approximate="tanh"))],
    "silu": [*unary(), *_far(unary(-9.0, 9.0))],
    "mish": [*unary(), *_far(unary(-9.0, 9.0))],
    "selu": [*unary(), *unary(-9.0, 9.0), Sample((np.array([0.0, -0.0]),), smooth=False)],
    "softsign": [*unary(), *unary(-30.0, 30.0), Sample((np.array([0.0, -0.0, 1e30, -1e30]),), smooth=False)],
    "hard_sigmoid": [*unary(), *unary(-2.9, 2.9), *unary(3.1, 9.0), *unary(-9.0, -3.1), _HARD],
    "hard_tanh": [*unary(-0.9, 0.9), *unary(1.1, 3.0), *_bounded(unary(-1.9, 2.9)), _HARD],
    "step": [*unary(), special()],
}
