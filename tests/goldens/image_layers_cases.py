"""The layers and functions on images that are compared with PyTorch: a stage of a program, and the shape it is applied to."""

from __future__ import annotations

CASES: dict[str, tuple[str, tuple[int, ...]]] = {
    "conv1d": ("it: Conv1d(4, 3, stride = 2, pad = 1)", (2, 3, 9)),
    "conv1d-same": ('it: Conv1d(4, 4, pad = "same", dilation = 2)', (2, 3, 9)),
    "conv2d": ("it: Conv2d(4, 3)", (2, 3, 6, 5)),
    "conv2d-strided": ("it: Conv2d(4, [3, 2], stride = [2, 1], pad = [1, 0])", (2, 3, 7, 6)),
    "conv2d-same": ('it: Conv2d(4, 4, pad = "same", bias = false)', (2, 2, 6, 5)),
    "conv2d-groups": ("it: Conv2d(6, 3, groups = 2, dilation = 2, pad = 2)", (2, 4, 6, 6)),
    "conv3d": ("it: Conv3d(2, [2, 3, 1], stride = [1, 2, 1], pad = 1)", (2, 2, 3, 5, 3)),
    "depthwise": ("it: DepthwiseConv2d(3, multiplier = 2, stride = 2, pad = 1)", (2, 3, 6, 7)),
    "conv-transpose1d": ("it: ConvTranspose1d(4, 3, stride = 2, pad = 1, output_pad = 1)", (2, 3, 5)),
    "conv-transpose2d": ("it: ConvTranspose2d(4, [3, 2], stride = [2, 3], pad = [1, 0])", (2, 3, 4, 3)),
    "conv-transpose2d-groups": ("it: ConvTranspose2d(4, 3, groups = 2, dilation = 2, bias = false)", (2, 4, 3, 3)),
    "max-pool1d": ("max_pool1d(3, stride = 2, pad = 1)", (2, 3, 7)),
    "max-pool2d-overlapping": ("max_pool2d(3, stride = 2, pad = 1)", (2, 3, 7, 6)),
    "max-pool2d-ties": ("max_pool2d(3, stride = 1)", (2, 2, 6, 5)),
    "max-pool3d": ("max_pool3d(2)", (1, 2, 4, 5, 4)),
    "avg-pool1d": ("avg_pool1d(2)", (2, 3, 7)),
    "avg-pool2d": ("avg_pool2d([3, 2], stride = 2, pad = 1)", (2, 3, 7, 6)),
    "avg-pool2d-inside": ("avg_pool2d(3, stride = 2, pad = 1, count_pad = false)", (2, 3, 7, 6)),
    "batch-norm1d": ("it: BatchNorm()", (4, 3)),
    "batch-norm2d": ("it: BatchNorm(momentum = 0.3, eps = 0.001)", (2, 3, 4, 2)),
    "layer-norm": ("it: LayerNorm()", (2, 3, 5)),
    "layer-norm-without-bias": ("it: LayerNorm(bias = false)", (4, 5)),
    "group-norm": ("it: GroupNorm(2)", (2, 4, 3, 2)),
    "instance-norm": ("it: InstanceNorm()", (2, 3, 4, 2)),
    "instance-norm-affine": ("it: InstanceNorm(affine = true)", (2, 3, 5)),
    "rms-norm": ("it: RMSNorm(eps = 1e-6)", (2, 3, 5)),
    "avg-pool3d": ("avg_pool3d(2, stride = 1)", (1, 2, 3, 4, 3)),
}
