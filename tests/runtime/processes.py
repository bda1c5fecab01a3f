"""What the tests of workers ask the system."""

from __future__ import annotations

import os


def is_there(process: int) -> bool:
    """Whether there is such a process, be it ended and not waited for."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
