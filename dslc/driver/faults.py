"""What the runtime found wrong, and what the system refused, as the compiler's diagnostics."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from dslc.diagnostics import Diagnostic, DslcError, Help, Note
from dslc_runtime.errors import IdError, RuntimeFault
from dslc_runtime.face import SizeError


def diagnostic(fault: RuntimeFault) -> Diagnostic:
    """The diagnostic of a fault."""
    footers = (*(Note(text) for text in fault.notes), *([Help(fault.help)] if fault.help else []))
    return Diagnostic(fault.code, fault.message, (), footers, fault.where)


@contextmanager
def as_diagnostics() -> Generator[None]:
    """Faults of the runtime inside, and arrays that do not fit a program, leave as `DslcError`."""
    try:
        yield
    except RuntimeFault as fault:
        raise DslcError([diagnostic(fault)]) from fault
    except SizeError as error:
        raise DslcError([Diagnostic("DL5040", str(error))]) from error
    except IdError as error:
        raise DslcError([Diagnostic("DL5041", str(error))]) from error
