"""Fields that are windows over neighbouring rows: the windows of all fields of a block must go together.

Input: the fields' bodies. Window i of every field begins at row ``i * stride`` (and its own offset), so that they are one sample.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from dslc.check.typed import Derived, FieldBody
from dslc.diagnostics import Help, Label, Note, Sink


def windows_of(found: FieldBody) -> Iterator[Derived]:
    """The windows that a field's value is computed from."""
    for derived in found.derived.values():
        if derived.kind == "window":
            yield derived
        elif isinstance(derived.operand, FieldBody):
            yield from windows_of(derived.operand)


def windows_reach(fields: Iterable[FieldBody]) -> int:
    """How many rows the windows of some fields reach over; 0 where there is none."""
    return max((_end(window) for found in fields for window in windows_of(found)), default=0)


def _end(window: Derived) -> int:
    offset, length = window.options["offset"], window.options["length"]
    assert isinstance(offset, int)
    assert isinstance(length, int)
    return offset + length


def is_mixed(found: FieldBody) -> bool:
    """Whether a value is computed from windows and from single rows."""
    return any(windows_of(found)) and _reads_rows(found)


def _reads_rows(found: FieldBody) -> bool:
    return bool(found.reads) or any(
        derived.kind != "window" and (not isinstance(derived.operand, FieldBody) or _reads_rows(derived.operand))
        for derived in found.derived.values()
    )


def check_windows(fields: Mapping[str, FieldBody], sink: Sink) -> None:
    """Report fields whose samples do not go together: windows beside single rows, or windows of different strides."""
    windows = {name: next(windows_of(found), None) for name, found in fields.items()}
    for name, found in fields.items():
        first = windows[name]
        if first is not None and is_mixed(found):
            mend = Help("cut a window of all that it is computed from")
            text = f"field `{name}` is computed from windows and from single rows"
            sink.report("DL3136", text, found.value.span, "a mix", Label(first.span, "a window"), footers=[mend])
            return
    chosen = [window for window in windows.values() if window is not None]
    if not chosen:
        return
    for name, window in windows.items():
        if window is None:
            text = f"field `{name}` has a value for every row, and other fields have windows"
            note = Note("a sample is one window of the series, in all fields")
            mend = Help("the row that comes after a window of 12:", code=("window(..., length = 1, offset = 12)[0]",))
            place = fields[name].value.span
            sink.report("DL3136", text, place, "not a window", Label(chosen[0].span, "a window"), footers=[note, mend])
            return
    for window in (each for found in fields.values() for each in windows_of(found)):
        if window.options["stride"] != chosen[0].options["stride"]:
            text = "the windows of a data block have one stride"
            first = Label(chosen[0].span, f"stride {chosen[0].options['stride']}")
            sink.report("DL3136", text, window.span, f"stride {window.options['stride']}", first)
            return
