"""Ctrl-C as a request that a loop looks at between steps, so that no step or commit is cut in half."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass(slots=True)
class Stop:
    """Set by Ctrl-C."""

    asked: bool = False


@contextmanager
def interruptible() -> Generator[Stop]:
    """The first Ctrl-C asks the loop to stop, the second one interrupts at once. Outside the main thread, nothing changes."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.getsignal(signal.SIGINT)

    def ask(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.asked = True
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
