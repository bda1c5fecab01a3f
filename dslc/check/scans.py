"""``scan(Cell(64), axis = 0)``: a cell with the way it is run along time -> a layer being made.

Input: evaluated arguments of the call. Output: a `LayerRef` with a `Scan`. Applying it is `recurrence`'s business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dslc.check.arguments import failed, is_tensor_like, match, options
from dslc.check.scope import Argument, CallSite, Context
from dslc.check.values import (
    FAILED,
    Failed,
    Instance,
    LayerRef,
    RecordValue,
    Scan,
    Scanned,
    Value,
    describe,
    is_cell,
    is_none,
)
from dslc.diagnostics import Edit, Help, Note
from dslc.ops.opdef import Option
from dslc.record import replace
from dslc.source import Span
from dslc.syntax import tree

_OPTIONS = (Option("axis", "axis", 1), Option("reverse", "bool", False), Option("return_state", "bool", False))
_NAMES = ("cell", "axis", "reverse", "init", "return_state", "lengths")


def make_scan(e: Context, args: Sequence[Argument], site: CallSite) -> LayerRef | Scanned | Failed:
    """A cell to be run along time: a layer being made, or the cell of a name, which its scans share."""
    if failed(args):
        return FAILED
    if not args:
        return not_a_cell(e, site.span, "no cell")
    applied = next((arg for arg in args[1:] if arg.name is None and is_tensor_like(arg.value)), None)
    if applied is not None:
        text = "`scan` takes the cell; what it makes is applied to the sequence"
        mend = Help(f"write `{applied.span.text} |> scan({args[0].span.text})`")
        return e.report("DL1014", text, applied.span, "a tensor", footers=[mend])
    found = match(e, "`scan`", _NAMES, args)
    if found is None:
        return FAILED
    if "cell" not in found:
        return not_a_cell(e, site.span, "no cell")
    cell = found["cell"].value
    if not is_cell(cell) or not isinstance(cell, LayerRef | Instance):
        return _wrong(e, cell, found["cell"].span, site)
    ref = cell if isinstance(cell, LayerRef) else cell.ref
    chosen = options(e, "`scan`", _OPTIONS, found, site)
    init = _initial(e, ref.definition, found.get("init"))
    if chosen is None or init is None:
        return FAILED
    axis = chosen.get("axis", 1)
    assert isinstance(axis, int)
    lengths = given_lengths(found.get("lengths"))
    scan = Scan(axis, chosen.get("reverse") is True, chosen.get("return_state") is True, init, e.body, lengths)
    if isinstance(cell, Instance):
        return Scanned(cell, scan, site.span)
    return replace(ref, span=site.span, scan=scan, name="")


def given_lengths(arg: Argument | None) -> tuple[Value, Span] | None:
    """The lengths of sequences and where they were written, unless they are left out or `none`."""
    return None if arg is None or is_none(arg.value) else (arg.value, arg.span)


def not_a_cell(e: Context, span: Span, label: str) -> Failed:
    """Report a `scan` of nothing."""
    text = "`scan` needs the cell that it runs along time"
    return e.report("DL1051", text, span, label, footers=[Help("write `scan(MyCell(64))`")])


def _wrong(e: Context, value: Value, span: Span, site: CallSite) -> Failed:
    footers: list[Note | Help] = [Note("a `cell` says what one time step does; a layer takes the whole tensor at once")]
    text = f"`scan` runs a cell along time, and this is {describe(value)}"
    ref = value.ref if isinstance(value, Instance) else value
    if isinstance(ref, LayerRef):
        what = f"a {ref.definition.kind}" if ref.scan is None else "run along time already"
        text = f"`scan` runs a cell along time, and `{ref.definition.name.text}` is {what}"
        footers = [Help("apply it as it is:", (Edit(site.span, span.text),)), *footers]
    return e.report("DL1051", text, span, "not a cell", footers=footers)


def _initial(e: Context, cell: tree.Definition, arg: Argument | None) -> Mapping[str, tuple[Value, Span]] | None:
    """Initial values of states by name; None after a report."""
    if arg is None:
        return {}
    states = [stmt.name.text for stmt in cell.body if isinstance(stmt, tree.StateStmt)]
    example = Help(f"write `init = {{ {states[0] if states else 'h'}: value }}`")
    if not isinstance(arg.value, RecordValue):
        text = f"`init` names states and their first values, and this is {describe(arg.value)}"
        e.report("DL2004", text, arg.span, "must be a record", footers=[example])
        return None
    for name, value in arg.value.items.items():
        if name not in states:
            text = f"cell `{cell.name.text}` has no state `{name}`"
            listed = Note(
                f"its states are {', '.join(f'`{state}`' for state in states)}" if states else "it has no state"
            )
            e.report("DL1058", text, arg.span, f"no state `{name}`", footers=[listed])
            return None
        if isinstance(value, Failed):
            return None
    return {name: (value, arg.span) for name, value in arg.value.items.items()}
