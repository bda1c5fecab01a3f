"""Makes `image_layers.npz`: outputs and gradients of PyTorch's layers on images, in float64.

    python tests/goldens/make_image_layers.py

The gradients are those of sum(y * of_y). A layer's parameters are drawn at random. `trained` is what they are after steps towards
of_y, which begin with the running statistics of the first output. The tests need the stored file only.
Made with PyTorch 2.13 on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from image_layers_cases import CASES
from storing import store, train
from torch import Tensor, nn
from torch.nn import functional

LAYERS: dict[str, Callable[[], Callable[[Tensor], Tensor]]] = {
    "conv1d": lambda: nn.Conv1d(3, 4, 3, stride=2, padding=1),
    "conv1d-same": lambda: nn.Conv1d(3, 4, 4, padding="same", dilation=2),
    "conv2d": lambda: nn.Conv2d(3, 4, 3),
    "conv2d-strided": lambda: nn.Conv2d(3, 4, (3, 2), stride=(2, 1), padding=(1, 0)),
    "conv2d-same": lambda: nn.Conv2d(2, 4, 4, padding="same", bias=False),
    "conv2d-groups": lambda: nn.Conv2d(4, 6, 3, groups=2, dilation=2, padding=2),
    "conv3d": lambda: nn.Conv3d(2, 2, (2, 3, 1), stride=(1, 2, 1), padding=1),
    "depthwise": lambda: nn.Conv2d(3, 6, 3, groups=3, stride=2, padding=1),
    "conv-transpose1d": lambda: nn.ConvTranspose1d(3, 4, 3, stride=2, padding=1, output_padding=1),
    "conv-transpose2d": lambda: nn.ConvTranspose2d(3, 4, (3, 2), stride=(2, 3), padding=(1, 0)),
    "conv-transpose2d-groups": lambda: nn.ConvTranspose2d(4, 4, 3, groups=2, dilation=2, bias=False),
    "max-pool1d": lambda: nn.MaxPool1d(3, stride=2, padding=1),
    "max-pool2d-overlapping": lambda: nn.MaxPool2d(3, stride=2, padding=1),
    "max-pool2d-ties": lambda: nn.MaxPool2d(3, stride=1),
    "max-pool3d": lambda: nn.MaxPool3d(2),
    "avg-pool1d": lambda: nn.AvgPool1d(2),
    "avg-pool2d": lambda: nn.AvgPool2d((3, 2), stride=2, padding=1),
    "avg-pool2d-inside": lambda: nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False),
    "batch-norm1d": lambda: nn.BatchNorm1d(3),
    "batch-norm2d": lambda: nn.BatchNorm2d(3, momentum=0.3, eps=0.001),
    "layer-norm": lambda: nn.LayerNorm(5),
    "layer-norm-without-bias": lambda: nn.LayerNorm(5, bias=False),
    "group-norm": lambda: nn.GroupNorm(2, 4),
    "instance-norm": lambda: nn.InstanceNorm2d(3),
    "instance-norm-affine": lambda: nn.InstanceNorm1d(3, affine=True),
    "rms-norm": lambda: nn.RMSNorm(5, eps=1e-6),
    "adaptive-avg-pool1d": lambda: nn.AdaptiveAvgPool1d(3),
    "adaptive-avg-pool2d": lambda: nn.AdaptiveAvgPool2d((3, 2)),
    "adaptive-max-pool2d": lambda: nn.AdaptiveMaxPool2d((2, 3)),
    "adaptive-max-pool2d-ties": lambda: nn.AdaptiveMaxPool2d(2),
    "global-avg-pool": lambda: lambda x: x.mean((2, 3)),
    "global-max-pool": lambda: lambda x: x.amax((2, 3)),
    "pad-constant": lambda: lambda x: functional.pad(x, (0, 1, 1, 2), value=0.5),
    "pad-reflect": lambda: lambda x: functional.pad(x, (1, 2, 2, 1), mode="reflect"),
    "pad-replicate": lambda: lambda x: functional.pad(x, (2, 2), mode="replicate"),
    "pad-circular": lambda: lambda x: functional.pad(x, (2, 2, 1, 1), mode="circular"),
    "upsample-nearest": lambda: nn.Upsample(scale_factor=(2, 3)),
    "upsample-linear": lambda: nn.Upsample(scale_factor=3, mode="linear"),
    "upsample-bilinear": lambda: nn.Upsample(scale_factor=(2, 4), mode="bilinear"),
    "prelu": nn.PReLU,
    "prelu-per-channel": lambda: nn.PReLU(3),
    "prelu-ties": lambda: nn.PReLU(3),
    "adaptive-max-pool1d": lambda: nn.AdaptiveMaxPool1d(3),
    "softmax": lambda: nn.Softmax(-1),
    "softmax-of-channels": lambda: nn.Softmax(1),
    "log-softmax": lambda: nn.LogSoftmax(-1),
    "logsumexp": lambda: lambda x: x.logsumexp(1),
    "avg-pool3d": lambda: nn.AvgPool3d(2, stride=1),
}


def run(case: str) -> dict[str, np.ndarray]:
    """One case: what goes in, what comes out, and all gradients."""
    torch.manual_seed(0)
    layer = LAYERS[case]()
    x = torch.randn(CASES[case][1], dtype=torch.float64)
    if case.endswith("ties"):
        x = x.round()
    found: dict[str, Tensor] = {}
    parameters: dict[str, Tensor] = {}
    if isinstance(layer, nn.Module):
        layer.double()
        parameters = dict(layer.named_parameters())
        for value in parameters.values():
            nn.init.normal_(value)
        found |= {f"param {name}": value.detach().clone() for name, value in parameters.items()}
        found |= {f"buffer {name}": value.clone() for name, value in layer.named_buffers() if value.ndim}
    x.requires_grad_()
    y = layer(x)
    of_y = torch.randn_like(y)
    (y * of_y).sum().backward()
    found |= {"x": x, "y": y, "of_y": of_y, "d x": x.grad}
    found |= {f"d {name}": value.grad for name, value in parameters.items()}
    if isinstance(layer, nn.Module):
        found |= {f"after {name}": value for name, value in layer.named_buffers() if value.ndim}
        if "buffer running_mean" in found:
            layer.eval()
            found["inferred y"] = layer(x)
    found = {name: value.detach().clone() for name, value in found.items()}
    if isinstance(layer, nn.Module):
        layer.train()
    found["trained shift"] = train(layer, x, of_y)
    if isinstance(layer, nn.Module):
        state = [*layer.named_parameters(), *layer.named_buffers()]
        found |= {f"trained it.{name}": value for name, value in state if value.ndim}
    return {f"{case}/{name}": value.detach().numpy() for name, value in found.items()}


if __name__ == "__main__":
    store("image_layers.npz", CASES, run)
