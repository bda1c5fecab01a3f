"""Makes `attention_layers.npz`: outputs and gradients of PyTorch's attention and Transformer layers, in float64.

    python tests/goldens/make_attention_layers.py

The gradients are those of sum(y * of_y); `trained` is what parameters are after steps towards of_y. Inputs and parameters are drawn
at random, as fractions that float32 holds. What PyTorch has no layer for is written down in its functions. The tests need the
stored file only. Made with PyTorch 2.13 on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from attention_layers_cases import CASES
from storing import RATE, STEPS, store
from torch import Tensor, nn
from torch.nn import functional

Named = Iterator[tuple[str, Tensor, Tensor]]

RENAMED = {"self_attn": "attend", "multihead_attn": "cross", "linear1": "up", "linear2": "down"}


def later(steps: int) -> Tensor:
    """True where a step would look at a later one, which PyTorch's layers are told not to."""
    return torch.ones(steps, steps, dtype=torch.bool).triu(1)


def grad(value: Tensor) -> Tensor:
    """The gradient that has come to a parameter."""
    assert value.grad is not None
    return value.grad


def linear(path: str, layer: nn.Linear) -> Named:
    """A fully connected layer as this project has it: weights are [in, out]."""
    for name, value in layer.named_parameters():
        turned = name == "weight"
        yield f"{path}.{name}", value.T if turned else value, grad(value).T if turned else grad(value)


def attention(path: str, layer: nn.MultiheadAttention) -> Named:
    """The three products that PyTorch keeps in one matrix, and the last one."""
    bias = layer.in_proj_bias
    for number, part in enumerate(("query", "key", "value")):
        if layer.in_proj_weight is None:
            weight = getattr(layer, f"{part[0]}_proj_weight")
            value, slope = weight, grad(weight)
        else:
            value, slope = layer.in_proj_weight.chunk(3)[number], grad(layer.in_proj_weight).chunk(3)[number]
        yield f"{path}{part}.weight", value.T, slope.T
        if bias is not None:
            yield f"{path}{part}.bias", bias.chunk(3)[number], grad(bias).chunk(3)[number]
    yield from linear(f"{path}out", layer.out_proj)


def named(layer: nn.Module) -> Named:
    """The parameters of a layer as this project has them, with their gradients."""
    if isinstance(layer, nn.MultiheadAttention):
        yield from attention("", layer)
    for name, inner in layer.named_children():
        path = RENAMED.get(name, name)
        if isinstance(inner, nn.MultiheadAttention):
            yield from attention(f"{path}.", inner)
        elif isinstance(inner, nn.Linear) and not isinstance(layer, nn.MultiheadAttention):
            yield from linear(path, inner)
        elif isinstance(inner, nn.LayerNorm):
            for part, value in inner.named_parameters():
                yield f"{path}.{part}", value, grad(value)
    for name, value in layer.named_parameters(recurse=False):
        if not name.startswith(("in_proj", "q_", "k_", "v_")):
            yield name, value, grad(value)


class Attention(nn.MultiheadAttention):
    """PyTorch's layer called as the layer here; without weights among its results it gives 0 where there is nothing to see."""

    def __init__(self, heads: int, *, causal: bool = False, **options: Any) -> None:
        super().__init__(8, heads, batch_first=True, **options)
        self.causal = causal

    def forward(self, x: Tensor, memory: Tensor | None = None, mask: Tensor | None = None) -> Tensor:  # type: ignore[override]
        source = x if memory is None else memory
        padding = None if mask is None else ~mask
        seen = later(x.shape[1]) if self.causal else None
        return super().forward(x, source, source, key_padding_mask=padding, attn_mask=seen, need_weights=False)[0]


class Encoder(nn.TransformerEncoderLayer):
    def __init__(self, heads: int, *, causal: bool = False, **options: Any) -> None:
        super().__init__(8, heads, 16, dropout=0, batch_first=True, **options)
        self.causal = causal

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:  # type: ignore[override]
        seen = later(x.shape[1]) if self.causal else None
        return super().forward(x, seen, None if mask is None else ~mask)


class Decoder(nn.TransformerDecoderLayer):
    def __init__(self, heads: int, *, causal: bool = True, **options: Any) -> None:
        super().__init__(8, heads, 16, dropout=0, batch_first=True, **options)
        self.causal = causal

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor | None = None) -> Tensor:  # type: ignore[override]
        seen = later(x.shape[1]) if self.causal else None
        return super().forward(x, memory, seen, memory_key_padding_mask=None if mask is None else ~mask)


class Function(nn.Module):
    """`scaled_dot_product_attention` with some options."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.options = options

    def forward(
        self, x: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, bias: Tensor | None = None
    ) -> Tensor:
        added = mask if bias is None else bias
        return functional.scaled_dot_product_attention(x, k, v, added, **self.options)


class Sinusoids(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        steps, features = x.shape[-2:]
        table = x.new_zeros(steps, features)
        for t in range(steps):
            for i in range(0, features, 2):
                angle = torch.tensor(t / 10_000 ** (i / features), dtype=x.dtype)
                table[t, i], table[t, i + 1] = torch.sin(angle), torch.cos(angle)
        return x + table


class Positions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(7, 8))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.weight[: x.shape[1]]


class Highway(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gate, self.fc = nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        t = torch.sigmoid(self.gate(x))
        return t * torch.tanh(self.fc(x)) + (1 - t) * x


class Gated(nn.Module):
    def __init__(self, activation: Callable[[Tensor], Tensor] | None = None, *, bias: bool = True) -> None:
        super().__init__()
        self.activation = activation
        self.gate, self.value = nn.Linear(8, 3, bias), nn.Linear(8, 3, bias)

    def forward(self, x: Tensor) -> Tensor:
        if self.activation is None:
            return functional.glu(torch.cat([self.value(x), self.gate(x)], -1))
        return self.activation(self.gate(x)) * self.value(x)


class Residual(nn.Linear):
    def __init__(self) -> None:
        super().__init__(8, 8)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return x + super().forward(x)


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "function": Function,
    "function-causal": lambda: Function(is_causal=True),
    "function-masked": Function,
    "function-added": lambda: Function(scale=0.3),
    "function-blind": Function,
    "self": lambda: Attention(2),
    "self-one-step": lambda: Attention(4),
    "self-without-bias": lambda: Attention(4, bias=False),
    "self-causal": lambda: Attention(2, causal=True),
    "self-padded": lambda: Attention(2),
    "self-causal-padded": lambda: Attention(2, causal=True),
    "cross": lambda: Attention(2),
    "cross-padded": lambda: Attention(2),
    "cross-of-another-width": lambda: Attention(2, kdim=5, vdim=5),
    "encoder": lambda: Encoder(2),
    "encoder-gelu": lambda: Encoder(2, activation="gelu"),
    "encoder-norm-first": lambda: Encoder(4, activation="gelu", norm_first=True),
    "encoder-padded": lambda: Encoder(2),
    "encoder-causal": lambda: Encoder(2, causal=True),
    "decoder": lambda: Decoder(2),
    "decoder-norm-first": lambda: Decoder(2, norm_first=True, causal=False),
    "decoder-padded": lambda: Decoder(2),
    "sinusoids": Sinusoids,
    "learned-positions": Positions,
    "highway": Highway,
    "glu": Gated,
    "swiglu": partial(Gated, functional.silu, bias=False),
    "residual": Residual,
}


def mask_of(case: str, shape: tuple[int, ...]) -> Tensor:
    """Which keys may be seen: fewer in each sample; the last query sees none where the case is about that."""
    if case == "function-blind":
        return torch.arange(shape[1]) < torch.tensor([[3], [5], [1], [0]])
    lengths = torch.arange(shape[-1], 0, -2)[: shape[0]]
    return torch.arange(shape[-1]) < lengths.reshape(-1, *[1] * (len(shape) - 1))


def drawn(shape: tuple[int, ...], deviation: float) -> Tensor:
    """Normal numbers rounded to multiples of 1 / 64, which are short to store."""
    return torch.round(torch.randn(shape, dtype=torch.float64) * deviation * 64) / 64


def parameters(layer: nn.Module) -> Named:
    """All parameters of a layer, whose own have no path."""
    for name, value, slope in linear("", layer) if isinstance(layer, nn.Linear) else named(layer):
        yield name.removeprefix("."), value, slope


def train_on(layer: nn.Module, inputs: dict[str, Tensor], target: Tensor) -> None:
    """Steps of Adam that make mean((layer(inputs) - target)^2) small; the layer is trained in place."""
    learning = list(layer.parameters())
    if not learning:
        return
    rule = torch.optim.Adam(learning, lr=RATE)
    fixed = {name: value.detach() for name, value in inputs.items()}
    for _ in range(STEPS):
        rule.zero_grad()
        (layer(**fixed) - target).square().mean().backward()
        rule.step()


def run(case: str) -> dict[str, np.ndarray]:
    """One case: what goes in, what comes out, and all gradients."""
    torch.manual_seed(0)
    layer = LAYERS[case]().double()
    for value in layer.parameters():
        value.data = drawn(value.shape, 0.4)
    inputs = {
        name: mask_of(case, shape) if name == "mask" else drawn(shape, 1).requires_grad_()
        for name, shape in CASES[case].shapes.items()
    }
    y = layer(**inputs)
    of_y = drawn(y.shape, 1)
    (y * of_y).sum().backward()
    found = {"y": y, "of_y": of_y}
    for name, value in inputs.items():
        found[f"input {name}"] = value
        if value.grad is not None:
            found[f"d {name}"] = value.grad
    for name, value, slope in parameters(layer):
        found |= {f"param {name}": value, f"d {name}": slope}
    found = {name: value.detach().clone() for name, value in found.items()}
    train_on(layer, inputs, of_y)
    found |= {f"trained it.{name}": value.detach() for name, value, _ in parameters(layer)}
    return {f"{case}/{name}": value.numpy() for name, value in found.items()}


if __name__ == "__main__":
    store("attention_layers.npz", CASES, run)
