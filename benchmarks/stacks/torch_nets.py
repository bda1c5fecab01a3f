"""The networks in PyTorch as its users write them, and where each parameter of the dslc program is in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

View: TypeAlias = Callable[[Tensor], Tensor]
Shapes: TypeAlias = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Slot:
    """A parameter of the program: `view` of `param`, and of its gradient, is laid out as dslc's."""

    param: nn.Parameter
    view: View


@dataclass(frozen=True, slots=True)
class Twin:
    """A network with its parameters by the program's keys."""

    net: nn.Module
    slots: Mapping[str, Slot]


def twin(program: str, shapes: Shapes) -> Twin:
    """The network of a program, of the sizes of its parameters."""
    return _NETS[program](shapes)


def _same(tensor: Tensor) -> Tensor:
    return tensor


def _transposed(tensor: Tensor) -> Tensor:
    return tensor.T


def _layers(net: nn.Module, **layers: nn.Module) -> Twin:
    """A network and its layers by label."""
    slots: dict[str, Slot] = {}
    for label, layer in layers.items():
        for name, param in layer.named_parameters():
            key = name.removesuffix("_l0").replace("bias_ih", "bias")
            if key != "bias_hh":  # a second bias of PyTorch's recurrent layers, which starts from zeros here
                slots[f"{label}.{key}"] = Slot(param, _transposed if isinstance(layer, nn.Linear | nn.LSTM) else _same)
            else:
                nn.init.zeros_(param)
    # A vector is its own transpose; PyTorch warns of saying so.
    slots = {key: Slot(slot.param, slot.view if slot.param.ndim == 2 else _same) for key, slot in slots.items()}
    return Twin(net, slots)


def _linear(shapes: Shapes, label: str) -> nn.Linear:
    return nn.Linear(*shapes[f"{label}.weight"])


def _conv(shapes: Shapes, label: str) -> nn.Conv2d:
    after, before, height, width = shapes[f"{label}.weight"]
    return nn.Conv2d(before, after, (height, width))


def _lstm(shapes: Shapes, label: str) -> nn.LSTM:
    return nn.LSTM(shapes[f"{label}.weight_ih"][0], shapes[f"{label}.weight_hh"][0], batch_first=True)


class _LastOf(nn.Module):
    """The last step of what a recurrent layer gives."""

    def forward(self, found: tuple[Tensor, object]) -> Tensor:
        return found[0][:, -1]


class _AllOf(nn.Module):
    """All steps of what a recurrent layer gives."""

    def forward(self, found: tuple[Tensor, object]) -> Tensor:
        return found[0]


def _xor(shapes: Shapes) -> Twin:
    hidden, out = _linear(shapes, "hidden"), _linear(shapes, "out")
    return _layers(nn.Sequential(hidden, nn.Tanh(), out, nn.Sigmoid()), hidden=hidden, out=out)


def _mnist_mlp(shapes: Shapes) -> Twin:
    fc1, fc2 = _linear(shapes, "fc1"), _linear(shapes, "fc2")
    return _layers(nn.Sequential(fc1, nn.ReLU(), nn.Dropout(0.2), fc2), fc1=fc1, fc2=fc2)


def _wide_mlp(shapes: Shapes) -> Twin:
    fc1, fc2, fc3 = (_linear(shapes, label) for label in ("fc1", "fc2", "fc3"))
    return _layers(nn.Sequential(fc1, nn.ReLU(), fc2, nn.ReLU(), fc3), fc1=fc1, fc2=fc2, fc3=fc3)


def _mnist_cnn(shapes: Shapes) -> Twin:
    conv1, conv2 = _conv(shapes, "conv1"), _conv(shapes, "conv2")
    fc1, fc2 = _linear(shapes, "fc1"), _linear(shapes, "fc2")
    images = (conv1, nn.ReLU(), nn.MaxPool2d(2), conv2, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    return _layers(nn.Sequential(*images, fc1, nn.ReLU(), fc2), conv1=conv1, conv2=conv2, fc1=fc1, fc2=fc2)


def _cifar(shapes: Shapes) -> Twin:
    conv1, conv2 = _conv(shapes, "conv1"), _conv(shapes, "conv2")
    fc1, fc2, fc3 = (_linear(shapes, label) for label in ("fc1", "fc2", "fc3"))
    images = (conv1, nn.ReLU(), nn.MaxPool2d(2), conv2, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    net = nn.Sequential(*images, fc1, nn.ReLU(), fc2, nn.ReLU(), fc3)
    return _layers(net, conv1=conv1, conv2=conv2, fc1=fc1, fc2=fc2, fc3=fc3)


def _stacked_lstm(shapes: Shapes) -> Twin:
    first, second, head = _lstm(shapes, "first"), _lstm(shapes, "second"), _linear(shapes, "head")
    net = nn.Sequential(first, _AllOf(), second, _LastOf(), head)
    return _layers(net, first=first, second=second, head=head)


def _text(shapes: Shapes) -> Twin:
    emb, rnn, head = nn.Embedding(*shapes["emb.weight"]), _lstm(shapes, "rnn"), _linear(shapes, "head")
    return _layers(nn.Sequential(emb, rnn, _LastOf(), head), emb=emb, rnn=rnn, head=head)


def _transformer(shapes: Shapes) -> Twin:
    d, ff = shapes["up.weight"]
    layer = nn.TransformerEncoderLayer(d, 4, ff, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
    attention = layer.self_attn
    slots: dict[str, Slot] = {}
    for number, label in enumerate("qkv"):
        part = slice(number * d, (number + 1) * d)
        slots[f"attention.{label}.weight"] = Slot(attention.in_proj_weight, lambda t, part=part: t[part].T)
        slots[f"attention.{label}.bias"] = Slot(attention.in_proj_bias, lambda t, part=part: t[part])
    labels = {"attention.out": attention.out_proj, "up": layer.linear1, "down": layer.linear2}
    labels |= {"norm1": layer.norm1, "norm2": layer.norm2}
    return Twin(layer, slots | _layers(layer, **labels).slots)


class _MGU(nn.Module):
    """The cell as users write it: a loop over time."""

    def __init__(self, shapes: Shapes) -> None:
        super().__init__()
        for name in ("wf", "uf", "bf", "wh", "uh"):
            self.register_parameter(name, nn.Parameter(torch.empty(shapes[f"cell.{name}"])))

    def forward(self, x: Tensor) -> Tensor:
        # The products with inputs do not depend on the state; a careful user takes them out of the loop.
        from_f, from_h = x @ self.wf + self.bf, x @ self.wh
        h = x.new_zeros(len(x), len(self.uf))
        for t in range(x.shape[1]):
            f = torch.sigmoid(from_f[:, t] + h @ self.uf)
            c = torch.tanh(from_h[:, t] + (f * h) @ self.uh)
            h = (1 - f) * h + f * c
        return h


def _mgu(shapes: Shapes) -> Twin:
    cell, head = _MGU(shapes), _linear(shapes, "head")
    return _layers(nn.Sequential(cell, head), cell=cell, head=head)


_NETS: Mapping[str, Callable[[Shapes], Twin]] = {
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
