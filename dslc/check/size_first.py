"""Layers given the size of their input first, as PyTorch's are: ``Conv2d(3, 16, 3)`` on three channels.

Input: a layer being made and the operands of its use. Output: a `SizeFirst` where its first number is the size of its input, with
the mend. What is legal and reads as PyTorch's arguments is a lint; where the layer refuses its numbers, the mend goes with that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from dslc.check.near import quoted
from dslc.check.scope import Argument, Context
from dslc.check.typed import TypedValue
from dslc.check.values import Const, LayerRef
from dslc.diagnostics import Edit, Help
from dslc.record import record
from dslc.source import Span
from dslc.tensor_type import TensorType


@record
class SizeFirst:
    """A layer whose first number is the size of its input; `likely` where the numbers make little sense as they are."""

    ref: LayerRef
    numbers: tuple[int, ...]
    input: TensorType
    likely: bool

    @property
    def help(self) -> Help:
        first, *others = self.ref.positional
        end = others[0].start if others else first.end
        text = "the input says how large it is; if the first number was to say so, as in PyTorch, leave it out:"
        return Help(text, (Edit(Span(first.source, first.start, end), ""),))

    def warn(self, e: Context) -> None:
        """Say what the numbers mean here."""
        names = [hyper.name.text for hyper in self.ref.definition.hypers]
        meant = [f"{name} = {number}" for name, number in zip(names, self.numbers, strict=False)]
        text = f"`{self.ref.definition.name.text}` is made with {quoted(meant, 'and')}"
        label = f"its first number is the size of its input, {self.input}"
        e.report("DL4017", text, self.ref.span, label, footers=[self.help])


def size_to_leave_out(name: str, span: Span) -> tuple[Edit, ...]:
    """The edit that leaves out the first number of another library's layer, called at `span`, where that is the size of its input.

    What follows must be given by position too: it is what the layer here is given.
    """
    found = _TWO.match(span.source.text, span.end) if name in _FOREIGN else None
    return () if found is None else (Edit(Span(span.source, *found.span(1)), ""),)


def size_first(e: Context, ref: LayerRef, args: Sequence[Argument]) -> SizeFirst | None:
    """What is to be said of a layer's numbers, or None where the first is not the size of its input.

    What the library itself makes is none of the user's business.
    """
    library = ref.home.library and not any(call.library for call in e.calls)
    rule = _LAYERS.get(ref.definition.name.text) if library else None
    operand = args[0].value if args else None
    if rule is None or not isinstance(operand, TypedValue) or not operand.type.rank:
        return None
    numbers = tuple(_numbers(ref))
    size = operand.type.shape[min(rule.axis, operand.type.rank - 1)]
    if len(ref.positional) < rule.least or numbers[:1] != (size,):
        return None
    return SizeFirst(ref, numbers, operand.type, len(numbers) >= rule.least and rule.likely(numbers))


def _numbers(ref: LayerRef) -> list[int]:
    """The whole numbers that were given by position, up to the first argument that is none."""
    found: list[int] = []
    for hyper, _ in zip(ref.definition.hypers, ref.positional, strict=False):
        value = ref.hypers[hyper.name.text]
        number = value.value if isinstance(value, Const) else None
        if isinstance(number, bool) or not isinstance(number, int | float) or number != int(number):
            break
        found.append(int(number))
    return found


@record
class _Rule:
    """On which axis the input has the size that PyTorch's layer is given first, and when numbers are likely to be PyTorch's.

    Attributes:
        least: how many numbers PyTorch's layer is given at least.
    """

    axis: int
    likely: Callable[[Sequence[int]], bool]
    least: int = 2


def _wide_kernel(numbers: Sequence[int]) -> bool:
    """`channels, kernel, stride` that read as input channels, channels and kernel: few strides are odd, few kernels so wide."""
    _, kernel, stride = numbers[:3]
    return kernel > 11 or (stride >= 3 and stride % 2 == 1 and kernel != stride)


def _narrow(numbers: Sequence[int]) -> bool:
    """`heads, ff` that read as features and heads: the middle layer is narrower than a head for each feature."""
    heads, ff = numbers[:2]
    return ff < heads


def _never(_: Sequence[int]) -> bool:
    """Such numbers are refused by the layer."""
    return False


#: Layers of other libraries that are called otherwise here, and are given the size of their input before their own.
_FOREIGN = frozenset({"Linear"})
#: Two arguments by position, the first one with the comma behind it.
_TWO = re.compile(r"\(\s*([^,()=]+,\s*)[^,()=]+[,)]")
_CONVOLUTION, _TRANSFORMER = _Rule(1, _wide_kernel, least=3), _Rule(-1, _narrow)
_LAYERS: Mapping[str, _Rule] = {
    **dict.fromkeys(("Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d"), _CONVOLUTION),
    **dict.fromkeys(("TransformerEncoderLayer", "TransformerDecoderLayer"), _TRANSFORMER),
    "MultiHeadAttention": _Rule(-1, _never),
    "BatchNorm": _Rule(1, _never, least=1),
}
