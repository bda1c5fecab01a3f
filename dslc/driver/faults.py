"""What the runtime found wrong, and what the system refused, as the compiler's diagnostics."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from dslc.diagnostics import Diagnostic, DslcError, Help, Note
from dslc_runtime.errors import RuntimeFault


def diagnostic(fault: RuntimeFault) -> Diagnostic:
    """The diagnostic of a fault."""
    footers = (*(Note(text) for text in fault.notes), *([Help(fault.help)] if fault.help else []))
    return Diagnostic(fault.code, fault.message, (), footers, fault.where)


@contextmanager
def as_diagnostics() -> Generator[None]:
    """Faults of the runtime inside leave as `DslcError`."""
    try:
        yield
    except RuntimeFault as fault:
        raise DslcError([diagnostic(fault)]) from fault
