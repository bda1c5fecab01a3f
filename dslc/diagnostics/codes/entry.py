"""One entry of the table of codes."""

from __future__ import annotations

from enum import Enum

from dslc.record import record


class Severity(Enum):
    """How bad it is; the value is what is printed."""

    ERROR = "error"
    WARNING = "warning"


@record
class Code:
    """A diagnostic's stable code.

    Attributes:
        code: `DL` and four digits; the first digit is the family.
        title: one line, lower case, no final stop.
        explain: the long text of `dslc explain`: what it means, a wrong example, the mended one.
        lint: the name by which a statement can allow a lint; empty for errors.
    """

    code: str
    title: str
    explain: str
    severity: Severity = Severity.ERROR
    lint: str = ""
