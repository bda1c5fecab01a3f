"""Initialisers as the language sees them: names, options, formulas. The runtime draws them, under equal names.

Fans are said by `FANS`.
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


#: What the fans of an initialiser are, for readers.
FANS = """A weight `[..., in, out]` has fan_in = in * r and fan_out = out * r, where r is the product of the leading sizes;
`layout = "out_in"` reads `[out, in, k...]`, as convolutions are laid out. `fan_in` and `fan_out` say otherwise."""


def _fans(*options: Option) -> tuple[Option, ...]:
    layout = Option("layout", "string", "in_out", choices=("in_out", "out_in"))
    return (*options, layout, Option("fan_in", "int"), Option("fan_out", "int"))


_GAIN = Option("gain", "float", 1.0)
_SLOPE = Option("a", "float", 0.0)
_SPREAD = (Option("mean", "float", 0.0), Option("std", "float", 1.0))

_GLOROT = "Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010."
_HE = "Source: He, Zhang, Ren and Sun, Delving deep into rectifiers, 2015."
_LECUN = "Source: LeCun, Bottou, Orr and Mueller, Efficient BackProp, 1998."

_TABLE = (
    InitializerDef("zeros", "0 everywhere."),
    InitializerDef("ones", "1 everywhere."),
    InitializerDef("constant", "`value` everywhere.", (Option("value", "float", required=True),)),
    InitializerDef(
        "uniform",
        "Even between `low` and `high`: U(low, high).",
        (Option("low", "float", 0.0), Option("high", "float", 1.0)),
    ),
    InitializerDef("normal", "Normally distributed: N(mean, std ** 2).", _SPREAD),
    InitializerDef("truncated_normal", "N(mean, std ** 2) within two `std` of the mean.", _SPREAD),
    InitializerDef("glorot_uniform", f"U(-b, b) with b = gain * sqrt(6 / (fan_in + fan_out)). {_GLOROT}", _fans(_GAIN)),
    InitializerDef(
        "glorot_normal", f"N(0, s ** 2) with s = gain * sqrt(2 / (fan_in + fan_out)). {_GLOROT}", _fans(_GAIN)
    ),
    InitializerDef(
        "he_uniform", f"U(-b, b) with b = sqrt(6 / ((1 + a ** 2) * fan_in)), for relu. {_HE}", _fans(_SLOPE)
    ),
    InitializerDef(
        "he_normal", f"N(0, s ** 2) with s = sqrt(2 / ((1 + a ** 2) * fan_in)), for relu. {_HE}", _fans(_SLOPE)
    ),
    InitializerDef(
        "kaiming_uniform",
        f"""U(-b, b) with b = sqrt(6 / ((1 + a ** 2) * fan_in)), for leaky_relu of slope `a`.

    With `a = sqrt(5)`, as in PyTorch's layers, b is 1 / sqrt(fan_in). {_HE}""",
        _fans(_SLOPE),
    ),
    InitializerDef(
        "kaiming_normal",
        f"N(0, s ** 2) with s = sqrt(2 / ((1 + a ** 2) * fan_in)), for leaky_relu of slope `a`. {_HE}",
        _fans(_SLOPE),
    ),
    InitializerDef("lecun_uniform", f"U(-b, b) with b = sqrt(3 / fan_in). {_LECUN}", _fans()),
    InitializerDef("lecun_normal", f"N(0, s ** 2) with s = sqrt(1 / fan_in). {_LECUN}", _fans()),
    InitializerDef(
        "uniform_fan_in",
        "U(-b, b) with b = 1 / sqrt(fan_in) of the weight above it: PyTorch's biases.",
        _fans(),
        own_fan_in=False,
    ),
    InitializerDef(
        "orthogonal",
        """A matrix with orthonormal rows or columns, times `gain`.

    Source: Saxe, McClelland and Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear networks,
    2014.""",
        (_GAIN,),
    ),
    InitializerDef("identity", "The identity matrix, times `gain`.", (_GAIN,)),
)

INITIALIZERS: Mapping[str, InitializerDef] = {entry.name: entry for entry in _TABLE}
