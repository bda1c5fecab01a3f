"""Ctrl-C, SIGTERM and SIGHUP as requests that a loop looks at between steps, so that no step or commit is cut in half."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

_HANGUP = () if sys.platform == "win32" else (signal.SIGHUP,)
ASKING = (signal.SIGINT, signal.SIGTERM, *_HANGUP)  # the signals that ask a program to end


@dataclass(slots=True)
class Stop:
    """What asked the loop to stop: a signal of `ASKING`, or None."""

    asked: signal.Signals | None = None


@contextmanager
def interruptible() -> Generator[Stop]:
    """The first of these signals asks the loop to stop, the second one ends it at once. Outside the main thread, nothing changes.

    A SIGTERM or SIGHUP that the program handles itself, or ignores (`nohup`), is left to it. After a SIGHUP others are ignored: a
    terminal that hangs up says so more than once, by its shell and by the system, before results are saved.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    theirs = {number: signal.getsignal(number) for number in ASKING}
    ours = [number for number, handler in theirs.items() if number == signal.SIGINT or handler == signal.SIG_DFL]

    def give_back() -> None:
        for number in ours:
            hung_up = number == stop.asked and number in _HANGUP
            signal.signal(number, signal.SIG_IGN if hung_up else theirs[number])

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
