"""Whether what a file claims to hold can be held, before it is read."""

from __future__ import annotations

import os
from pathlib import Path

from dslc_runtime.errors import RuntimeFault


def require_memory(path: Path, need: int) -> None:
    """Refuse columns larger than the machine's memory. Where the system does not tell, reading itself will fail."""
    if not hasattr(os, "sysconf"):
        return
    have = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if need > have > 0:
        raise RuntimeFault("DL5009", f"the columns need {need} bytes of memory, this machine has {have}", str(path))
