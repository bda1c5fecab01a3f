"""What an operator is: one value that states its types, gradient, kernel and export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from dslc.ops.cost import FlopsRule, MovedRule, everything, per_result
from dslc.ops.ir import Attr, Attrs, Builder, Node, OnnxEmitter, Value
from dslc.ops.rows import RowsRule
from dslc.record import record
from dslc.tensor_type import TensorType


class OpError(Exception):
    """The operands or options of an operator do not fit. Plain text, lower case, no final stop, no span: `check` adds them.

    Attributes:
        code: the diagnostic's code; types and sizes are DL2xxx.
        operand: which operand is to blame (an index), or None for all of them.
        help: a proposed mend, or "".
    """

    def __init__(self, message: str, code: str = "DL2002", operand: int | None = None, help: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.operand = operand
        self.help = help


@record
class Option:
    """A named option of an operator as the language sees it.

    `kind` says what a program may write: "int", "float", "bool", "string", "axis" (an int, negative counts from the end),
    "axes" (a list of axes, an axis, or none for all), "sizes" (a list of sizes), "counts" (an int for each axis, or one for
    all), "padding" (sizes, "same" or "valid"), "dtype" (`f32`).
    An option without a default (`required`) must be given. `alias` is a second name that a program may write (`axis` for
    `axes`); in graphs there is only the first.
    """

    name: str
    kind: str
    default: Attr = None
    required: bool = False
    choices: tuple[str, ...] = ()
    alias: str = ""


InferRule: TypeAlias = Callable[[tuple[TensorType, ...], Attrs], TensorType]
NormalizeRule: TypeAlias = Callable[[tuple[TensorType, ...], Attrs], Attrs]
VjpRule: TypeAlias = Callable[[Builder, Node, Value], Sequence[Value | None]]
DecomposeRule: TypeAlias = Callable[[Builder, tuple[Value, ...], Attrs], Value]
FinishRule: TypeAlias = Callable[[Builder, Value, Attrs], Value]
OnnxRule: TypeAlias = Callable[[OnnxEmitter, Node, tuple[str, ...]], str]


@record
class OverPart:
    """How a metric that is no mean over samples is computed from many batches, as exactly as from one.

    Attributes:
        parts: operands -> what a batch contributes, f64: a tensor of static shape where it is added up, else rows.
        finish: what all batches contributed -> the metric, f64.
        joined: how contributions become one: "sum" adds them, "rows" puts their rows (axis 0) below each other.
        lower: whether less is better.
    """

    parts: DecomposeRule
    finish: FinishRule
    joined: str = "sum"
    lower: bool = False


def at_once(over: OverPart, infer: InferRule) -> DecomposeRule:
    """The metric of one batch, in the type that `infer` gives."""

    def decompose(b: Builder, inputs: tuple[Value, ...], attrs: Attrs) -> Value:
        dtype = infer(tuple(value.type for value in inputs), attrs).dtype
        return b.apply("cast", over.finish(b, over.parts(b, inputs, attrs), attrs), dtype=dtype)

    return decompose


@record
class OpDef:
    """An operator.

    Attributes:
        name: its name in graphs and, where `call` is true, in programs.
        doc: formula, shapes, dtypes, gradient, edge cases (ties, zero, overflow), source. First line: one sentence.
        infer: operand types and normalised attributes -> type, or raises `OpError`.
        operands: names of the tensor operands in order; a name ending in `?` may be left out, a single `*name` is variadic.
        options: the options a program may give; every one is an attribute of the node.
        normalize: brings attributes into their one canonical form (axes non-negative and sorted) before `infer`; raises `OpError`.
        vjp: (builder, node, cotangent of the output) -> one Value or None per input. It never sums a cotangent to a
            broadcast input's shape: autodiff does, once. None: no gradient flows (integer results, step, comparisons).
        decompose: the value built from other operators. An op with a decomposition and no `kernel` is expanded as soon as
            a graph is built, so it needs neither `vjp` nor `onnx`.
        differentiable: false for a composite operator through which no gradient flows (a count).
        over_part: how its number for a part of the data is computed; None: the mean of the batches' numbers over rows.
        kernel: the runtime kernel's name; its keyword arguments are the node's attributes.
        onnx: emits the node at opset 18.
        inplace: the operands whose memory the output may take over when they die here (same shape and dtype only).
        view: the output is a view of operand 0's memory where that is contiguous enough; never written through.
        random: draws fresh values: never shared or folded; its attribute `stream` says which stream it draws from.
        structural: it holds a graph or reads one, so that the stages know it themselves: neither kernel nor ONNX rule.
        export_only: passes put it into graphs that are exported, and nowhere else: it has an ONNX rule and no kernel.
        call: whether a program may call it by name.
        symbol: how it is written when it is an operator of the language (`+`), for messages.
        result_range: what is known of the values ("logits", "probability", ...), or "".
        rows: how rows of a batch pass it, so that some of them can be computed apart (`dslc.ops.rows`); None: not known,
            and a batch is never cut where its loss depends on it.
        flops: what it costs; one operation for each element of the result unless it says otherwise.
        example: for its documentation, statements of a model or settings of a train block (`dslc.doc.examples`); "" where
            applying it to one tensor says it all.
    """

    name: str
    doc: str
    infer: InferRule
    operands: tuple[str, ...] = ("x",)
    options: tuple[Option, ...] = ()
    normalize: NormalizeRule | None = None
    vjp: VjpRule | None = None
    decompose: DecomposeRule | None = None
    differentiable: bool = True
    over_part: OverPart | None = None
    kernel: str | None = None
    onnx: OnnxRule | None = None
    inplace: tuple[int, ...] = ()
    view: bool = False
    random: bool = False
    structural: bool = False
    export_only: bool = False
    call: bool = True
    symbol: str = ""
    result_range: str = ""
    rows: RowsRule | None = None
    flops: FlopsRule = per_result()
    moved: MovedRule = everything
    example: str = ""
