"""Makes `ctc.npz`: PyTorch's `ctc_loss` in value and gradient by the logits, in float64 and float32.

Run it by hand (``python tests/goldens/make_ctc.py``, with PyTorch installed); the tests read the file only. All cases read the
same operands: ``logits``, ``labels``, ``steps``, ``number``. Their samples have repeated labels, no label, one step for one label,
a label at every step, and fewer steps than a path needs. Each case `c` leaves ``c/y`` and ``c/g``; float32 names end in ``32``.
``mean/trained`` is what has come to be added to the logits of every feasible row after steps of training.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from storing import store
from torch.nn import functional as F  # noqa: N812  (its name everywhere)

LABELS = np.array([[1, 1, 2, 3], [2, 9, 9, 9], [3, 0, 0, 0], [1, 2, 3, 1], [2, 2, 0, 0], [1, 3, 2, 2]])
STEPS = np.array([7, 5, 1, 4, 2, 7])
NUMBER = np.array([4, 0, 1, 4, 2, 3])
LOGITS = 2 * np.random.default_rng(0).normal(size=(6, 7, 5))
FEASIBLE = [0, 1, 2, 3, 5]

CASES: dict[str, dict[str, object]] = {
    "none": {"reduction": "none"},
    "sum": {"reduction": "sum"},
    "mean": {},
    "zero_infinity": {"zero_infinity": True},
    "zero_infinity_none": {"zero_infinity": True, "reduction": "none"},
    "blank": {"blank": 4, "zero_infinity": True},
}


def _run(case: str) -> Mapping[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    rows = slice(None) if "zero_infinity" in CASES[case] or case == "none" else FEASIBLE
    for suffix, dtype in (("", torch.float64), ("32", torch.float32)):
        logits = torch.tensor(LOGITS[rows], dtype=dtype, requires_grad=True)
        labels = torch.tensor(np.where(LABELS == 9, 0, LABELS)[rows])
        log_p = torch.log_softmax(logits, -1).transpose(0, 1)
        loss = F.ctc_loss(log_p, labels, torch.tensor(STEPS[rows]), torch.tensor(NUMBER[rows]), **CASES[case])
        loss.sum().backward()
        assert logits.grad is not None
        found |= {f"{case}/y{suffix}": loss.detach().numpy(), f"{case}/g{suffix}": logits.grad.numpy()}
    return found


def _trained() -> np.ndarray:
    """What is added to every row of the logits after 20 steps of Adam in float64."""
    shift = torch.zeros(LOGITS.shape[1:], dtype=torch.float64, requires_grad=True)
    rule = torch.optim.Adam([shift], lr=5e-4)
    labels = torch.tensor(np.where(LABELS == 9, 0, LABELS)[FEASIBLE])
    for _ in range(20):
        rule.zero_grad()
        log_p = torch.log_softmax(torch.tensor(LOGITS[FEASIBLE]) + shift, -1).transpose(0, 1)
        F.ctc_loss(log_p, labels, torch.tensor(STEPS[FEASIBLE]), torch.tensor(NUMBER[FEASIBLE])).backward()
        rule.step()
    return shift.detach().numpy()


def _golden(case: str) -> Mapping[str, np.ndarray]:
    operands = {"logits": LOGITS, "labels": LABELS, "steps": STEPS, "number": NUMBER}
    return {**_run(case), **operands} | ({"mean/trained": _trained()} if case == "mean" else {})


if __name__ == "__main__":
    store("ctc.npz", CASES, _golden)
