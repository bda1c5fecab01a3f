"""Ctrl-C and SIGTERM as requests that a loop looks at between steps, so that no step or commit is cut in half."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

ASKING = (signal.SIGINT, signal.SIGTERM)  # the signals that ask a program to end


@dataclass(slots=True)
class Stop:
    """What asked the loop to stop: a signal of `ASKING`, or None."""

    asked: signal.Signals | None = None


@contextmanager
def interruptible() -> Generator[Stop]:
    """The first of these signals asks the loop to stop, the second one ends it at once. Outside the main thread, nothing changes.

    A SIGTERM that the program handles itself, or ignores, is left to it.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    theirs = {number: signal.getsignal(number) for number in ASKING}
    ours = [number for number, handler in theirs.items() if number == signal.SIGINT or handler == signal.SIG_DFL]

    def give_back() -> None:
        for number in ours:
            signal.signal(number, theirs[number])

    def ask(number: int, frame: FrameType | None) -> None:
        del frame
        stop.asked = signal.Signals(number)
        give_back()

    for number in ours:
        signal.signal(number, ask)
    try:
        yield stop
    finally:
        give_back()
