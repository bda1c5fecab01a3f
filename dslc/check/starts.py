"""`use net = MLP(init = weights("runs/a", only = "features.*"))`: the values a model starts from, read from a file by its keys.

Input: the argument as written, and the keys of the model. Output: a `Start`, which names all that is read. No file is opened.
"""

from __future__ import annotations

from collections.abc import Sequence

from dslc.check.options import by_name, text
from dslc.check.patterns import select
from dslc.check.settings import not_yet
from dslc.check.typed import Start
from dslc.diagnostics import Edit, Help, Note, Sink
from dslc.syntax import tree

OPTIONS = ("path", "only", "prefix")
_EXAMPLE = 'init = weights("runs/a")'


def is_weights(arg: tree.Arg) -> bool:
    """Whether an argument of a model says what it starts from."""
    called = arg.value.callee if isinstance(arg.value, tree.Call) else arg.value
    return arg.name is not None and arg.name.text == "init" and isinstance(called, tree.Name) and called.id == "weights"


def takes_init(args: Sequence[tree.Arg], model: tree.Definition, sink: Sink) -> bool:
    """Whether an argument `init` that is no `weights(...)` is a hyper-parameter of the model; reports one that is not."""
    init = next((arg for arg in args if arg.name is not None and arg.name.text == "init"), None)
    if init is None or any(hyper.name.text == "init" for hyper in model.hypers):
        return True
    value = init.value
    mend = Help("name a run's folder, or a safetensors file:", code=(_EXAMPLE,))
    if isinstance(value, tree.String):
        mend = Help("read them from there:", (Edit(value.span, f"weights({value.span.text})"),))
    sink.report(
        "DL3114", "`init` takes the weights of a run or a file", value.span, "not `weights(...)`", footers=[mend]
    )
    return False


def check_start(use: str, value: tree.Expr, keys: Sequence[str], sink: Sink) -> Start | None:
    """What a model starts from, or None after a report.

    Args:
        keys: of the model's parameters and buffers.
    """
    args = value.args if isinstance(value, tree.Call) else ()
    given = by_name("weights", OPTIONS, args, sink)
    if given is None:
        return None
    if "path" not in given:
        mend = Help("name a run's folder, or a safetensors file:", code=(_EXAMPLE,))
        sink.report("DL3114", "`weights` does not say which", value.span, "no path", footers=[mend])
        return None
    path = text("path", given["path"].value, (), sink)
    prefix = text("prefix", given["prefix"].value, (), sink) if "prefix" in given else ""
    if path is None or prefix is None:
        return None
    if path.lower().endswith(".onnx"):
        not_yet("starting from the weights of an ONNX file", given["path"].value, sink)
        return None
    chosen = tuple(keys) if "only" not in given else _chosen(given["only"].value, keys, sink)
    if chosen is None:
        return None
    return Start(use, path, chosen, prefix, "only" not in given, value.span)


def _chosen(value: tree.Expr, keys: Sequence[str], sink: Sink) -> tuple[str, ...] | None:
    """The keys that patterns choose, in the model's order; None after a report."""
    patterns = value.items if isinstance(value, tree.List) else (value,)
    found: set[str] = set()
    good = bool(patterns)
    for pattern in patterns:
        if not isinstance(pattern, tree.String):
            notes = [Note("a pattern is a string: `*` stands for anything, dots too")]
            sink.report("DL3114", "`only` takes patterns of keys", pattern.span, "not a string", footers=notes)
            return None
        matched = select(pattern.value, pattern.span, keys, "parameter or buffer", sink)
        found |= set(matched)
        good = good and bool(matched)
    if not patterns:
        sink.report("DL3114", "`only` names no parameter", value.span, "an empty list")
    return tuple(key for key in keys if key in found) if good else None
