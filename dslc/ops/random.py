"""Random tensors of the shape and type of another one.

They have no kernel and no ONNX form on purpose: lowering turns each into a `draw` leaf, a plain input that the runtime fills
before every run from a counter-based generator keyed by (seed, stream, step). So every engine sees the same bits, and
inference graphs hold none. The attribute `stream` says which stream; `check` fills it in.
"""

from __future__ import annotations

from dslc.ops.ir import Attrs
from dslc.ops.opdef import OpDef, Option
from dslc.ops.rules import float_options, same_float


def _check_uniform(attrs: Attrs) -> str:
    low, high = attrs.float("low"), attrs.float("high")
    return "" if low <= high else f"`random_uniform` needs low <= high, got low = {low} and high = {high}"


def _check_normal(attrs: Attrs) -> str:
    std = attrs.float("std")
    return "" if std >= 0 else f"`random_normal` needs std >= 0, got {std}"


def _check_bernoulli(attrs: Attrs) -> str:
    p = attrs.float("p")
    return "" if 0 <= p <= 1 else f"`random_bernoulli` needs a probability p from 0 to 1, got {p}"


RANDOM_UNIFORM = OpDef(
    name="random_uniform",
    doc="""Numbers drawn evenly from low (included) to high (excluded), in the shape and type of `like`.

    No gradient flows to `like`.""",
    example="y = x + random_uniform(x, low = -0.1, high = 0.1)",
    infer=same_float("random_uniform"),
    operands=("like",),
    options=(Option("low", "float", 0.0), Option("high", "float", 1.0)),
    normalize=float_options("low", "high", check=_check_uniform),
    random=True,
)

RANDOM_NORMAL = OpDef(
    name="random_normal",
    doc="""Numbers drawn from the normal distribution, in the shape and type of `like`.

    No gradient flows to `like`.""",
    example="y = x + random_normal(x, std = 0.1)",
    infer=same_float("random_normal"),
    operands=("like",),
    options=(Option("mean", "float", 0.0), Option("std", "float", 1.0)),
    normalize=float_options("mean", "std", check=_check_normal),
    random=True,
)

RANDOM_BERNOULLI = OpDef(
    name="random_bernoulli",
    doc="""`value` with probability p, else 0, in the shape and type of `like`.

    No gradient flows to `like`. Dropout is `x * random_bernoulli(x, p = 1 - q, value = 1 / (1 - q))`.""",
    example="y = x * random_bernoulli(x, p = 0.8, value = 1 / 0.8)",
    infer=same_float("random_bernoulli"),
    operands=("like",),
    options=(Option("p", "float", 0.5), Option("value", "float", 1.0)),
    normalize=float_options("p", "value", check=_check_bernoulli),
    random=True,
)

RANDOM: tuple[OpDef, ...] = (RANDOM_UNIFORM, RANDOM_NORMAL, RANDOM_BERNOULLI)
