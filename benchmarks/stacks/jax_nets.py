"""The networks in JAX: functions of the program's parameters, by its keys and in its layout, and of a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax import lax, nn

Params: TypeAlias = Mapping[str, Any]
Net: TypeAlias = Callable[
    [Params, Any, Any], Any
]  # parameters, inputs, a key for dropout or None -> what the network says


def _dense(p: Params, label: str, x: Any) -> Any:
    return x @ p[f"{label}.weight"] + p[f"{label}.bias"]


def _conv(p: Params, label: str, x: Any) -> Any:
    numbers = ("NCHW", "OIHW", "NCHW")
    made = lax.conv_general_dilated(x, p[f"{label}.weight"], (1, 1), "VALID", dimension_numbers=numbers)
    return made + p[f"{label}.bias"][:, None, None]


def _pool(x: Any) -> Any:
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


def _over_time(cell: Callable[[Any, Any], tuple[Any, Any]], first: Any, x: Any) -> Any:
    """The results of a cell at all steps, `[batch, time, ...]`."""
    _, found = lax.scan(cell, first, jnp.swapaxes(x, 0, 1))
    return jnp.swapaxes(found, 0, 1)


def _lstm(p: Params, label: str, x: Any) -> Any:
    units = p[f"{label}.weight_hh"].shape[0]
    fed = x @ p[f"{label}.weight_ih"] + p[f"{label}.bias"]
    zeros = jnp.zeros((len(x), units))

    def cell(state: Any, z: Any) -> tuple[Any, Any]:
        h, c = state
        i, f, g, o = jnp.split(z + h @ p[f"{label}.weight_hh"], 4, axis=-1)
        c = nn.sigmoid(f) * c + nn.sigmoid(i) * jnp.tanh(g)
        h = nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    return _over_time(cell, (zeros, zeros), fed)


def _norm(p: Params, label: str, x: Any) -> Any:
    mean, variance = jnp.mean(x, -1, keepdims=True), jnp.var(x, -1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-5) * p[f"{label}.weight"] + p[f"{label}.bias"]


def _xor(p: Params, x: Any, _: Any) -> Any:
    return nn.sigmoid(_dense(p, "out", jnp.tanh(_dense(p, "hidden", x))))


def _mnist_mlp(p: Params, x: Any, key: Any) -> Any:
    h = nn.relu(_dense(p, "fc1", x))
    h = h if key is None else jnp.where(jax.random.bernoulli(key, 0.8, h.shape), h / 0.8, 0)
    return _dense(p, "fc2", h)


def _wide_mlp(p: Params, x: Any, _: Any) -> Any:
    return _dense(p, "fc3", nn.relu(_dense(p, "fc2", nn.relu(_dense(p, "fc1", x)))))


def _images(p: Params, x: Any) -> Any:
    h = _pool(nn.relu(_conv(p, "conv2", _pool(nn.relu(_conv(p, "conv1", x))))))
    return h.reshape(len(h), -1)


def _mnist_cnn(p: Params, x: Any, _: Any) -> Any:
    return _dense(p, "fc2", nn.relu(_dense(p, "fc1", _images(p, x))))


def _cifar(p: Params, x: Any, _: Any) -> Any:
    return _wide_mlp(p, _images(p, x), None)


def _stacked_lstm(p: Params, x: Any, _: Any) -> Any:
    return _dense(p, "head", _lstm(p, "second", _lstm(p, "first", x))[:, -1])


def _text(p: Params, x: Any, _: Any) -> Any:
    return _dense(p, "head", _lstm(p, "rnn", p["emb.weight"][x])[:, -1])


def _transformer(p: Params, x: Any, _: Any) -> Any:
    batch, time, d = x.shape
    y = _norm(p, "norm1", x)
    q, k, v = (_dense(p, f"attention.{part}", y).reshape(batch, time, 4, d // 4) for part in "qkv")
    scores = jnp.einsum("bthd,buhd->bhtu", q, k) / (d / 4) ** 0.5
    mixed = jnp.einsum("bhtu,buhd->bthd", nn.softmax(scores, axis=-1), v).reshape(batch, time, d)
    h = x + _dense(p, "attention.out", mixed)
    return h + _dense(p, "down", nn.gelu(_dense(p, "up", _norm(p, "norm2", h)), approximate=False))


def _mgu(p: Params, x: Any, _: Any) -> Any:
    fed = jnp.concatenate([x @ p["cell.wf"] + p["cell.bf"], x @ p["cell.wh"]], axis=-1)

    def cell(h: Any, z: Any) -> tuple[Any, Any]:
        of_f, of_h = jnp.split(z, 2, axis=-1)
        f = nn.sigmoid(of_f + h @ p["cell.uf"])
        h = (1 - f) * h + f * jnp.tanh(of_h + (f * h) @ p["cell.uh"])
        return h, h

    return _dense(p, "head", _over_time(cell, jnp.zeros((len(x), len(p["cell.uf"]))), fed)[:, -1])


NETS: Mapping[str, Net] = {
    "xor": _xor,
    "mnist_mlp": _mnist_mlp,
    "mnist_cnn": _mnist_cnn,
    "cifar": _cifar,
    "lstm": _stacked_lstm,
    "transformer": _transformer,
    "wide_mlp": _wide_mlp,
    "text": _text,
    "mgu": _mgu,
}
