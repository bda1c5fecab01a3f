"""Initialisers as the language sees them: names, options, formulas. The runtime draws them, under equal names.

Fans: a weight ``[..., in, out]`` has ``fan_in = in * r`` and ``fan_out = out * r``, `r` the product of the leading sizes;
``layout = "out_in"`` reads ``[out, in, k...]``. `fan_in` and `fan_out` override both.
"""

from __future__ import annotations

from collections.abc import Mapping

from dslc.ops.opdef import Option
from dslc.record import record


@record
class InitializerDef:
    """An initialiser: what a program may write in ``param w: f32[D, n] = name(options)``.

    Attributes:
        doc: formula and source.
        own_fan_in: a parameter with fewer than two axes needs the fan-in of its layer's weight.
    """

    name: str
    doc: str
    options: tuple[Option, ...] = ()
    own_fan_in: bool = True


def _fans(*options: Option) -> tuple[Option, ...]:
    layout = Option("layout", "string", "in_out", choices=("in_out", "out_in"))
    return (*options, layout, Option("fan_in", "int"), Option("fan_out", "int"))


_GAIN = Option("gain", "float", 1.0)
_SLOPE = Option("a", "float", 0.0)
_SPREAD = (Option("mean", "float", 0.0), Option("std", "float", 1.0))

_TABLE = (
    InitializerDef("zeros", "0 everywhere."),
    InitializerDef("ones", "1 everywhere."),
    InitializerDef("constant", "`value` everywhere.", (Option("value", "float", required=True),)),
    InitializerDef("uniform", "U(low, high).", (Option("low", "float", 0.0), Option("high", "float", 1.0))),
    InitializerDef("normal", "N(mean, std**2).", _SPREAD),
    InitializerDef("truncated_normal", "N(mean, std**2) within two `std` of the mean.", _SPREAD),
    InitializerDef("glorot_uniform", "U(-b, b), b = gain * sqrt(6 / (fan_in + fan_out)).", _fans(_GAIN)),
    InitializerDef("glorot_normal", "N(0, s**2), s = gain * sqrt(2 / (fan_in + fan_out)).", _fans(_GAIN)),
    InitializerDef("he_uniform", "U(-b, b), b = sqrt(6 / fan_in).", _fans(_SLOPE)),
    InitializerDef("he_normal", "N(0, s**2), s = sqrt(2 / fan_in).", _fans(_SLOPE)),
    InitializerDef("kaiming_uniform", "U(-b, b), b = sqrt(6 / ((1 + a**2) * fan_in)).", _fans(_SLOPE)),
    InitializerDef("kaiming_normal", "N(0, s**2), s = sqrt(2 / ((1 + a**2) * fan_in)).", _fans(_SLOPE)),
    InitializerDef("lecun_uniform", "U(-b, b), b = sqrt(3 / fan_in).", _fans()),
    InitializerDef("lecun_normal", "N(0, s**2), s = sqrt(1 / fan_in).", _fans()),
    InitializerDef(
        "uniform_fan_in",
        "U(-b, b), b = 1 / sqrt(fan_in), with the fan-in of the layer's weight: PyTorch's biases.",
        _fans(),
        own_fan_in=False,
    ),
    InitializerDef("orthogonal", "A matrix with orthonormal rows or columns, times `gain`.", (_GAIN,)),
    InitializerDef("identity", "The identity matrix, times `gain`.", (_GAIN,)),
)

INITIALIZERS: Mapping[str, InitializerDef] = {entry.name: entry for entry in _TABLE}
