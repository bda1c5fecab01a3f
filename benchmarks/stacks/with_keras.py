"""Keras: `fit` on JAX, which is its one CPU backend besides the frameworks that are measured by themselves.

Networks are as its users write them: images with channels last, its own recurrent layers. The Transformer layer and the cell
of one's own are left to the other stacks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
from keras import layers

from benchmarks.case import Case
from benchmarks.stacks import with_jax
from benchmarks.stacks.built import Built
from benchmarks.workloads import RATE, Array

_PROBE = 1e3  # the rate of the one step of gradient descent that shows the gradient: p - p' = rate * g

load = with_jax.load


def build(case: Case, variant: str, threads: int) -> Built:
    """Make a case ready to run."""
    del variant, threads
    (x,) = case.inputs
    x = np.moveaxis(x, 1, -1) if x.ndim == 4 else x
    net = _NETS[case.workload.program](case)
    net.build(x.shape)
    _set(net, case)
    _compile(net, case, _optimizer(case.workload.optimizer))
    batches = _Again(x, case.target)

    def run(steps: int) -> None:
        batches.steps = steps
        net.fit(batches, epochs=1, verbose=0, shuffle=False)

    def gradients() -> Mapping[str, Array]:
        plain = _NETS[case.workload.program](case, dropout=0.0)
        plain.build(x.shape)
        _set(plain, case)
        before = _values(plain, case)
        _compile(plain, case, keras.optimizers.SGD(_PROBE))
        plain.train_on_batch(x, case.target)
        after = _values(plain, case)
        return {key: (before[key] - after[key]) / _PROBE for key in before}

    return Built(run, gradients)


class _Again(keras.utils.PyDataset):
    """One batch, as often as is asked for."""

    def __init__(self, x: Array, target: Array) -> None:
        super().__init__()
        self.steps, self._batch = 1, (x, target)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, _: int) -> tuple[Array, Array]:
        return self._batch


def _compile(net: Any, case: Case, optimizer: Any) -> None:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True) if case.classifies else "mse"
    net.compile(optimizer=optimizer, loss=loss)


def _optimizer(name: str) -> Any:
    if name == "adam":
        return keras.optimizers.Adam(RATE, epsilon=1e-8)
    return keras.optimizers.SGD(RATE, momentum=0.9 if name == "momentum" else 0.0)


# ---------------------------------------------------------------------------------------------- networks


def _dense(case: Case, label: str, activation: str | None = None) -> Any:
    return layers.Dense(case.params[f"{label}.weight"].shape[1], activation=activation, name=label)


def _conv(case: Case, label: str) -> Any:
    after, _, height, width = case.params[f"{label}.weight"].shape
    return layers.Conv2D(after, (height, width), activation="relu", name=label)


def _lstm(case: Case, label: str, **options: bool) -> Any:
    return layers.LSTM(case.params[f"{label}.weight_hh"].shape[0], name=label, **options)


def _xor(case: Case, dropout: float = 0.0) -> Any:
    del dropout
    return keras.Sequential([_dense(case, "hidden", "tanh"), _dense(case, "out", "sigmoid")])


def _mnist_mlp(case: Case, dropout: float = 0.2) -> Any:
    return keras.Sequential([_dense(case, "fc1", "relu"), layers.Dropout(dropout), _dense(case, "fc2")])


def _wide_mlp(case: Case, dropout: float = 0.0) -> Any:
    del dropout
    return keras.Sequential([_dense(case, "fc1", "relu"), _dense(case, "fc2", "relu"), _dense(case, "fc3")])


def _images(case: Case, *rest: Any) -> Any:
    pools = (layers.MaxPooling2D(), layers.MaxPooling2D())
    return keras.Sequential([_conv(case, "conv1"), pools[0], _conv(case, "conv2"), pools[1], layers.Flatten(), *rest])


def _mnist_cnn(case: Case, dropout: float = 0.0) -> Any:
    del dropout
    return _images(case, _dense(case, "fc1", "relu"), _dense(case, "fc2"))


def _cifar(case: Case, dropout: float = 0.0) -> Any:
    del dropout
    return _images(case, _dense(case, "fc1", "relu"), _dense(case, "fc2", "relu"), _dense(case, "fc3"))


def _stacked_lstm(case: Case, dropout: float = 0.0) -> Any:
    del dropout
    first = _lstm(case, "first", return_sequences=True)
    return keras.Sequential([first, _lstm(case, "second"), _dense(case, "head")])


def _text(case: Case, dropout: float = 0.0) -> Any:
    del dropout
    table = layers.Embedding(*case.params["emb.weight"].shape, name="emb")
    return keras.Sequential([table, _lstm(case, "rnn"), _dense(case, "head")])


_NETS: Mapping[str, Callable[..., Any]] = {
    "xor": _xor,
    "mnist_mlp": _mnist_mlp,
    "mnist_cnn": _mnist_cnn,
    "cifar": _cifar,
    "lstm": _stacked_lstm,
    "wide_mlp": _wide_mlp,
    "text": _text,
}


# ---------------------------------------------------------------------------------------------- parameters


_NAMES = {"weight": "kernel", "weight_ih": "kernel", "weight_hh": "recurrent_kernel", "bias": "bias"}


def _variable(net: Any, key: str) -> Any:
    """The variable of a parameter."""
    label, _, name = key.rpartition(".")
    layer = net.get_layer(label)
    wanted = "embeddings" if label == "emb" else _NAMES[name]
    return next(variable for variable in layer.trainable_variables if variable.name == wanted)


def _set(net: Any, case: Case) -> None:
    for key, value in case.params.items():
        _variable(net, key).assign(_there(net, key, value))


def _values(net: Any, case: Case) -> dict[str, Array]:
    return {key: _back(net, key, np.asarray(_variable(net, key).value)) for key in case.params}


def _there(net: Any, key: str, value: Array) -> Array:
    """A parameter as Keras lays it out: filters last, and rows of what follows a flattened image in its order of pixels."""
    if value.ndim == 4:
        return value.transpose(2, 3, 1, 0)
    size = _flattened(net, key)
    return (
        value
        if size is None
        else value.reshape(size[2], size[0], size[1], -1).transpose(1, 2, 0, 3).reshape(value.shape)
    )


def _back(net: Any, key: str, value: Array) -> Array:
    """The reverse of `_there`."""
    if value.ndim == 4:
        return value.transpose(3, 2, 0, 1)
    size = _flattened(net, key)
    return value if size is None else value.reshape(*size, -1).transpose(2, 0, 1, 3).reshape(value.shape)


def _flattened(net: Any, key: str) -> tuple[int, int, int] | None:
    """Height, width and channels of the image whose pixels a weight meets, if it follows a flattened one."""
    names = [layer.name for layer in net.layers]
    if key != "fc1.weight" or "conv1" not in names:
        return None
    before = net.layers[names.index("fc1") - 2]  # the last pool; a layer that flattens stands between
    return tuple(before.output.shape[1:])
