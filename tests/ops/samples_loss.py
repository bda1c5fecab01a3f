"""Samples of losses and metrics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sample import Attr, Sample, bools, integers, strided, values

_REDUCTIONS = ("mean", "sum", "none")


def _pairs(low: float, high: float, target: tuple[float, float], filled: float, **attrs: Attr) -> list[Sample]:
    """A prediction and a target of every shape that matters, every reduction, and a target that fills."""

    def p(seed: int, *shape: int):
        return values(seed, *shape, low=low, high=high, gap=0.02)

    def t(seed: int, *shape: int):
        return values(seed, *shape, low=target[0], high=target[1], gap=0.02)

    return [
        *(Sample((p(1, 2, 3), t(2, 2, 3)), {"reduction": r, **attrs}) for r in _REDUCTIONS),
        Sample((p(3), t(4)), attrs),
        Sample((p(5, 1), t(6, 1)), attrs),
        Sample((p(7, 0, 2), t(8, 0, 2)), {"reduction": "sum", **attrs}),
        Sample((strided(p(9, 2, 3)), t(10, 2, 3)), attrs),
        Sample((p(11, 4), filled), attrs),
    ]


def _signs(shape: Sequence[int]):
    return np.where(bools(12, *shape), 1.0, -1.0)


_SCORES = [
    *(Sample((values(13, 2, 3), _signs((2, 3))), {"reduction": r}) for r in _REDUCTIONS),
    Sample((values(14, 5), 1.0)),
    Sample((values(15), _signs(()))),
    Sample((strided(values(16, 2, 2)), _signs((2, 2)))),
    Sample((values(17, 0), _signs((0,))), {"reduction": "sum"}),
    Sample((np.array([1.0, -1.0]), np.array([1.0, -1.0])), smooth=False),
]


def _ids(seed: int, n: int, *shape: int, dtype: type = np.int64):
    return integers(seed, *shape, low=0, high=n, dtype=dtype)


def _shares(seed: int, *shape: int):
    """Positive numbers whose sum along the last axis is 1."""
    raw = values(seed, *shape, low=0.2, high=1.0)
    return raw / raw.sum(axis=-1, keepdims=True)


def _three(seed: int, *shape: int):
    """Anchor, positive and negative."""
    return tuple(values(seed + i, *shape) for i in range(3))


def _spoken(seed: int, rows: int, time: int, classes: int, most: int):
    """Operands of `ctc`: logits, labels other than the first and last class, steps and numbers of labels that fit."""
    ids = integers(seed, rows, most, low=1, high=max(classes - 1, 2))
    number = np.arange(rows) % (most + 1)
    return values(seed + 1, rows, time, classes), ids, np.full(rows, time) - (number == 0) * (time > 1), number


_CLASSES = [
    *(Sample((values(18, 2, 3), _ids(19, 3, 2)), {"reduction": r}) for r in _REDUCTIONS),
    Sample((values(20, 2, 3, 2), _ids(21, 3, 2, 2, dtype=np.int32)), {"axis": 1}),
    Sample((values(22, 4), _ids(23, 4))),
    Sample((values(24, 0, 3), _ids(25, 3, 0)), {"reduction": "sum"}),
    Sample((strided(values(26, 3, 2)), _ids(27, 2, 3))),
]

_WEIGHTED = [
    *(
        Sample((values(136, 4, 3), _ids(137, 3, 4), values(138, 3, low=0.2, high=2)), {"reduction": r})
        for r in _REDUCTIONS
    ),
    Sample((values(139, 2, 3, 2), _ids(140, 3, 2, 2, dtype=np.int32), values(141, 3, low=0.2, high=2)), {"axis": 1}),
    Sample((values(142, 2, 3), _shares(143, 2, 3), values(144, 3, low=0.2, high=2))),
    Sample((values(145, 2, 3), np.array([7, 1]), values(146, 3, low=0.2, high=2)), {"ignore_index": 7}),
    Sample((values(147, 2, 3), np.array([1, 1]), np.zeros(3)), smooth=False),
]

LOSS: dict[str, list[Sample]] = {
    "mse": _pairs(-2, 2, (-1, 1), 1.0),
    "mae": _pairs(1.1, 2, (-1, 1), 1.0),
    "huber": [*_pairs(1.1, 1.9, (0.5, 0.9), 0.5, delta=3.0), *_pairs(1.1, 1.9, (-3, -1), 0.5, delta=0.25)],
    "bce": [
        *_pairs(0.1, 0.9, (0, 1), 1.0),
        Sample((np.array([0.0, 1.0, 0.0]), np.array([1.0, 1.0, 0.0])), smooth=False),
    ],
    "bce_elements": [
        Sample((values(28, 2, 3, low=0.1, high=0.9), values(29, 2, 3, low=0.1, high=0.9))),
        Sample((values(30, 1, low=0.1, high=0.9), values(31, 1, low=0.1, high=0.9))),
        Sample((values(32, low=0.1, high=0.9), values(33, low=0.1, high=0.9))),
        Sample((values(34, 0, 2, low=0.1, high=0.9), values(35, 0, 2, low=0.1, high=0.9))),
        Sample((strided(values(36, 2, 3, low=0.1, high=0.9)), 1.0)),
        Sample((np.array([0.0, 1.0, 0.0, 1.0]), np.array([1.0, 1.0, 0.0, 0.0])), smooth=False),
    ],
    "bce_logits": [
        *_pairs(-2, 2, (0, 1), 1.0),
        Sample((values(131, 2, 3), values(132, 2, 3, low=0, high=1), values(133, 3, low=0.1, high=3))),
        Sample((values(134, 4), bools(135, 4).astype(float), 2.0)),
    ],
    "bce_logits_elements": [
        Sample((values(37, 2, 3), values(38, 2, 3, low=0, high=1))),
        Sample((values(39, 1), values(40, 1, low=0, high=1))),
        Sample((values(41), values(42, low=0, high=1))),
        Sample((values(43, 0, 2), values(44, 0, 2))),
        Sample((strided(values(45, 2, 3)), 0.0)),
        Sample(
            (np.array([60.0, -60.0, 1e4, -1e4, 0.0]), np.array([1.0, 0.0, 0.0, 1.0, 1.0])), smooth=False, onnx=False
        ),
    ],
    "cross_entropy": [
        *_CLASSES,
        Sample((values(46, 2, 3), _shares(47, 2, 3))),
        Sample((values(48, 2, 3), _shares(49, 2, 3)), {"label_smoothing": 0.1, "reduction": "none"}),
        Sample((values(50, 2, 3), _ids(51, 3, 2)), {"label_smoothing": 0.1}),
        *(
            Sample((values(112, 2, 3), np.array([-100, 1])), {"ignore_index": -100, "reduction": r})
            for r in _REDUCTIONS
        ),
        Sample((values(113, 2, 3), np.array([7, 7])), {"ignore_index": 7}),
        *_WEIGHTED,
    ],
    "nll": [
        *_CLASSES,
        Sample((values(46, 2, 3), _shares(47, 2, 3))),
        Sample((values(112, 2, 3), np.array([-100, 1])), {"ignore_index": -100}),
        *_WEIGHTED,
    ],
    "ctc": [
        *(Sample(_spoken(148, 2, 4, 3, 2), {"reduction": r}) for r in _REDUCTIONS),
        Sample(_spoken(149, 3, 5, 4, 1), {"blank": 3}),
        Sample(_spoken(150, 1, 1, 2, 0)),
        Sample((strided(values(151, 1, 3, 3)), *_spoken(151, 1, 3, 3, 1)[1:])),
        Sample((values(152, 1, 2, 3), np.array([[1, 1]]), np.array([2]), np.array([2])), {"zero_infinity": True}),
    ],
    "contrastive": [
        *(Sample((*_three(116, 4, 3)[:2], bools(119, 4)), {"reduction": r, "margin": 9.0}) for r in _REDUCTIONS),
        Sample((*_three(120, 2, 3, 2)[:2], _ids(123, 2, 2, 3)), {"margin": 9.0}),
        Sample((*_three(124, 4, 2)[:2], values(127, 4, low=0, high=1)), {"margin": 9.0}),
        Sample((strided(values(128, 4, 2)), values(129, 4, 2), bools(130, 4)), {"margin": 9.0}),
        Sample((*_three(131, 3, 2)[:2], bools(134, 3)), {"margin": 9.0}),
        Sample((*_three(135, 1, 5)[:2], bools(138, 1)), {"margin": 9.0}),
        Sample((np.ones((2, 2)), np.ones((2, 2)), np.array([True, False])), smooth=False),
    ],
    "kl_div": [
        *_pairs(-3, -0.1, (0.1, 0.9), 0.5),
        Sample((values(52, 2, 3, low=-3, high=-0.1), _shares(53, 2, 3)), {"reduction": "batchmean"}),
        Sample((np.array([[-1.0, -2.0]]), np.array([[0.0, 1.0]])), smooth=False),
    ],
    "hinge": _SCORES,
    "squared_hinge": _SCORES,
    "log_cosh": [
        *_pairs(-2, 2, (-1, 1), 1.0),
        Sample((np.array([400.0, -400.0, 0.0]), np.array([-400.0, 400.0, 0.0])), smooth=False, onnx=False),
    ],
    "cosine_distance": [
        *(Sample((values(74, 2, 3), values(75, 2, 3)), {"reduction": r}) for r in _REDUCTIONS),
        Sample((values(76, 2, 3, 2), values(77, 2, 3, 2)), {"axis": 1}),
        Sample((values(78, 4), values(79, 4))),
        Sample((values(68, 1, 5), values(69, 1, 5))),
        Sample((values(80, 0, 3), values(81, 0, 3)), {"reduction": "sum"}),
        Sample((strided(values(82, 2, 3)), values(83, 2, 3))),
        Sample((np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 0.0], [0.0, 0.0]])), smooth=False),
    ],
    "triplet": [
        Sample(_three(139, 3, 2), {"margin": 9.0}),
        Sample(_three(142, 1, 4), {"margin": 9.0}),
        *(Sample(_three(84, 2, 3), {"reduction": r, "margin": 9.0}) for r in _REDUCTIONS),
        Sample(_three(87, 2, 3, 2), {"margin": 9.0}),
        Sample(_three(90, 4), {"margin": 9.0}),
        Sample(_three(93, 0, 3), {"reduction": "sum"}),
        Sample((strided(values(96, 2, 3)), *_three(97, 2, 3)[:2]), {"margin": 9.0}),
        Sample((np.ones((1, 2)), np.ones((1, 2)), np.full((1, 2), 9.0)), smooth=False),
    ],
    "accuracy": [
        Sample((values(54, 8, 3), _ids(55, 3, 8))),
        Sample((values(56, 8, 3), _ids(57, 3, 8, dtype=np.int32))),
        Sample((values(58, 2, 3, 4), _ids(59, 3, 2, 4)), {"axis": 1}),
        Sample((values(60, 8, 3), _shares(61, 8, 3))),
        Sample((strided(values(62, 4, 2)), _ids(63, 2, 4))),
        Sample((np.zeros((2, 3)), np.array([0, 1]))),
    ],
    "top_k": [
        Sample((values(100, 8, 5), _ids(101, 5, 8)), {"k": 2}),
        Sample((values(102, 8, 3), _ids(103, 3, 8, dtype=np.int32)), {"k": 1}),
        Sample((values(104, 2, 6, 4), _ids(105, 6, 2, 4)), {"axis": 1, "k": 3}),
        Sample((values(106, 8, 3), _shares(107, 8, 3)), {"k": 2}),
        Sample((strided(values(108, 4, 3)), _ids(109, 3, 4)), {"k": 2}),
        Sample((values(110, 4, 3), _ids(111, 3, 4))),
        Sample((np.zeros((2, 3)), np.array([0, 1])), {"k": 1}),
    ],
    "binary_accuracy": [
        Sample((values(64, 8), _ids(65, 2, 8))),
        Sample((values(66, 8), bools(67, 8))),
        Sample((values(68, 4, 1), np.round(values(69, 4, 1, low=0, high=1)))),
        Sample((values(70, 8, low=0, high=1), bools(71, 8)), {"threshold": 0.5}),
        Sample((strided(values(72, 2, 3)), _ids(73, 2, 2, 3, dtype=np.int32))),
        Sample((np.array([0.0, -0.0]), np.array([1.0, 0.0]))),
        Sample((values(74, 1, 3), bools(75, 1, 3))),
        Sample((values(76), bools(77))),
    ],
}
