"""Makes `losses.npz`: what PyTorch computes for every loss, in value and gradient, on fixed operands in float64 and float32.

Run it by hand (``python tests/goldens/make_losses.py``, with PyTorch installed); the tests read the file only. Each case `c` of
`CASES` leaves the arrays ``c/x`` (prediction), ``c/t`` (target), ``c/y`` (loss) and ``c/gx`` (gradient of its sum by the
prediction), and ``c/gt`` where the target has a gradient; names of float32 results end in ``32``. Where the loss is one number,
``c/trained`` is what has come to be added to the prediction of every row after steps of training.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812  (its name everywhere)

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def _numbers(seed: int, *shape: int, low: float = -3.0, high: float = 3.0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, shape)


def _ids(seed: int, n: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, n, shape)


def _shares(seed: int, *shape: int) -> np.ndarray:
    raw = _numbers(seed, *shape, low=0.1, high=1.0)
    return raw / raw.sum(axis=-1, keepdims=True)


def _hinge(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    return F.relu(1 - t * x).mean()


def _squared_hinge(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    return (F.relu(1 - t * x) ** 2).mean()


def _log_cosh(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    return torch.log(torch.cosh(x - t)).mean()


def _cosine(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    return 1 - F.cosine_similarity(x, t, dim=-1)


def _contrastive(x: torch.Tensor, t: torch.Tensor, margin: float = 1.0) -> torch.Tensor:
    # Of the pairs in the rows of x and t every second one is of one kind, the last is not.
    same = (torch.arange(len(x)).flip(0) % 2).to(x.dtype)
    d = torch.linalg.vector_norm(x - t, dim=-1)
    return same * d**2 / 2 + (1 - same) * F.relu(margin - d) ** 2 / 2


def _weights(n: int, dtype: torch.dtype) -> torch.Tensor:
    """The weights of classes that the tests use: 0.5, 1, 1.5, ..."""
    return torch.arange(1, n + 1, dtype=dtype) / 2


def _weighted(loss: Callable[..., torch.Tensor], **options: object) -> Loss:
    """A loss with weights of its classes, of which the axis is the last."""
    return lambda x, t: loss(
        x.movedim(-1, 1), t.movedim(-1, 1) if t.is_floating_point() else t, _weights(x.shape[-1], x.dtype), **options
    )


def _bce_edge(p: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    # PyTorch's gradient by the target leaves out the clamp of the logarithms; it is not compared.
    return F.binary_cross_entropy(p, t.detach(), reduction="none")


def _reduced(loss: Callable[..., torch.Tensor], **options: object) -> dict[str, Loss]:
    """The loss under every reduction."""
    return {r: lambda x, t, r=r: loss(x, t, reduction=r, **options) for r in ("mean", "sum", "none")}


def _classes_first(loss: Callable[..., torch.Tensor], **options: object) -> Loss:
    """PyTorch has the class axis second, the language last."""
    return lambda x, t: loss(x.movedim(-1, 1), t.movedim(-1, 1) if t.is_floating_point() else t, **options)


def cases() -> dict[str, tuple[np.ndarray, np.ndarray, Loss]]:
    """Name -> prediction, target, PyTorch's loss."""
    x, t = _numbers(1, 4, 3), _numbers(2, 4, 3)
    p, q = _numbers(3, 4, 3, low=0.02, high=0.98), _numbers(4, 4, 3, low=0.0, high=1.0)
    edge_p, edge_t = np.array([0.0, 1.0, 0.0, 1.0, 1e-9]), np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    far_x, far_t = np.array([-200.0, 200.0, 40.0, -40.0, 0.0]), np.array([0.0, 1.0, 1.0, 0.0, 0.5])
    logits, ids = _numbers(5, 6, 5, low=-8, high=8), _ids(6, 5, 6)
    assert 2 in ids, "an id that is ignored"
    deep, deep_ids = _numbers(7, 2, 3, 4), _ids(8, 4, 2, 3)
    log_p, shares = np.log(_shares(9, 4, 5)), _shares(10, 4, 5)
    far_logits = np.array([[1000.0, 0.0, -1000.0], [-80.0, 80.0, 0.0]])
    binary = F.binary_cross_entropy_with_logits
    found: dict[str, tuple[np.ndarray, np.ndarray, Loss]] = {}
    for name, prediction, target, losses in (
        ("mse", x, t, _reduced(F.mse_loss)),
        ("mae", x, t, _reduced(F.l1_loss)),
        ("huber", x, t, _reduced(F.huber_loss)),
        ("bce", p, q, _reduced(F.binary_cross_entropy)),
        ("bce_logits", x, q, _reduced(binary)),
        ("cross_entropy", logits, ids, _reduced(F.cross_entropy)),
        ("nll", log_p, _ids(11, 5, 4), _reduced(F.nll_loss)),
        ("kl_div", log_p, shares, _reduced(F.kl_div)),
    ):
        for reduction, loss in losses.items():
            found[f"{name}.{reduction}"] = prediction, target, loss
    return found | {
        "huber.delta": (x, t, lambda x, t: F.huber_loss(x, t, delta=0.5)),
        "bce.edge": (edge_p, edge_t, _bce_edge),
        "bce_logits.far": (far_x, far_t, lambda x, t: binary(x, t, reduction="none")),
        "cross_entropy.deep": (deep, deep_ids, _classes_first(F.cross_entropy)),
        "cross_entropy.far": (far_logits, np.array([0, 0]), lambda x, t: F.cross_entropy(x, t, reduction="none")),
        "cross_entropy.smoothing": (logits, ids, lambda x, t: F.cross_entropy(x, t, label_smoothing=0.1)),
        "cross_entropy.ignore": (logits, np.where(ids == 2, -100, ids), F.cross_entropy),
        "cross_entropy.ignore_smoothing": (
            logits,
            ids,
            lambda x, t: F.cross_entropy(x, t, ignore_index=2, label_smoothing=0.1),
        ),
        "cross_entropy.shares": (log_p, shares, _classes_first(F.cross_entropy)),
        "cross_entropy.both": (log_p, shares, _classes_first(F.cross_entropy, label_smoothing=0.2)),
        "kl_div.batchmean": (log_p, shares, lambda x, t: F.kl_div(x, t, reduction="batchmean")),
        "squared_hinge.mean": (x, np.where(t > 0, 1.0, -1.0), _squared_hinge),
        "log_cosh.mean": (x, t, _log_cosh),
        "cosine_distance.none": (x, t, _cosine),
        "cosine_distance.mean": (x, t, lambda x, t: _cosine(x, t).mean()),
        # The rows of x are anchors, those of t the positive ones, and the negative ones in the opposite order.
        "triplet.mean": (x, t, lambda x, t: F.triplet_margin_loss(x, t, t.flip(0))),
        "triplet.none": (x, t, lambda x, t: F.triplet_margin_loss(x, t, t.flip(0), margin=0.5, reduction="none")),
        "contrastive.none": (x, t, lambda x, t: _contrastive(x, t, margin=4.0)),
        "contrastive.mean": (x, x + 0.1 * t, lambda x, t: _contrastive(x, t).mean()),
        "bce_logits.pos_weight": (x, q, lambda x, t: binary(x, t, pos_weight=_weights(3, x.dtype))),
        "cross_entropy.weights": (logits, ids, _weighted(F.cross_entropy)),
        "cross_entropy.weights_none": (logits, ids, _weighted(F.cross_entropy, reduction="none")),
        "cross_entropy.weights_sum": (logits, ids, _weighted(F.cross_entropy, reduction="sum", label_smoothing=0.1)),
        "cross_entropy.weights_deep": (deep, deep_ids, _weighted(F.cross_entropy, label_smoothing=0.1)),
        "cross_entropy.weights_ignore": (
            logits,
            ids,
            _weighted(F.cross_entropy, ignore_index=2, label_smoothing=0.1),
        ),
        "cross_entropy.weights_shares": (log_p, shares, _weighted(F.cross_entropy, label_smoothing=0.2)),
        "nll.weights": (log_p, _ids(11, 5, 4), _weighted(F.nll_loss)),
        "nll.weights_ignore": (log_p, _ids(11, 5, 4), _weighted(F.nll_loss, ignore_index=2)),
        "nll.shares": (log_p, shares, lambda x, t: -(t * x).sum(-1).mean()),
        "hinge.mean": (x, np.where(t > 0, 1.0, -1.0), _hinge),
    }


def _run(x: np.ndarray, t: np.ndarray, loss: Loss, dtype: torch.dtype) -> dict[str, np.ndarray]:
    prediction = torch.tensor(x, dtype=dtype, requires_grad=True)
    is_float = t.dtype.kind == "f"
    target = torch.tensor(t, dtype=dtype, requires_grad=True) if is_float else torch.tensor(t)
    value = loss(prediction, target)
    value.sum().backward()
    assert prediction.grad is not None
    arrays = {"y": value.detach().numpy(), "gx": prediction.grad.numpy()}
    return arrays | ({"gt": target.grad.numpy()} if target.grad is not None else {})


def _trained(x: np.ndarray, t: np.ndarray, loss: Loss) -> np.ndarray:
    """What is added to every row of x after 20 steps of Adam in float64."""
    shift = torch.zeros(x.shape[1:], dtype=torch.float64, requires_grad=True)
    rule = torch.optim.Adam([shift], lr=5e-4)
    for _ in range(20):
        rule.zero_grad()
        loss(torch.tensor(x) + shift, torch.tensor(t)).backward()
        rule.step()
    return shift.detach().numpy()


def main() -> None:
    """Write the file beside this script."""
    arrays: dict[str, np.ndarray] = {}
    for name, (x, t, loss) in cases().items():
        arrays |= {f"{name}/x": x, f"{name}/t": t}
        arrays |= {f"{name}/{key}": array for key, array in _run(x, t, loss, torch.float64).items()}
        if np.ndim(arrays[f"{name}/y"]) == 0:
            arrays[f"{name}/trained"] = _trained(x, t, loss)
        arrays |= {f"{name}/{key}32": array for key, array in _run(x, t, loss, torch.float32).items()}
    path = Path(__file__).with_name("losses.npz")
    np.savez_compressed(path, torch=np.array(torch.__version__), **arrays)
    sys.stdout.write(f"{path.name}: {len(arrays)} arrays from PyTorch {torch.__version__}\n")


if __name__ == "__main__":
    main()
