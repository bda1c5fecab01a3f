"""Worker processes: a function is bound to shared memory, its process is forked, and it runs there whenever it is asked to.

Between the processes travels only the number of a run, in messages of fixed size through two pipes; all else lies in memory that
both have (`dslc_runtime.mapped`). A worker ends when its `Worker` is dropped or closed, and when the process that forked it
ends, however that happens: its pipe is at an end then.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import traceback
import warnings
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from struct import Struct
from time import perf_counter
from typing import Any, NoReturn, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.errors import IdError, RuntimeFault, why
from dslc_runtime.interrupts import ASKING
from dslc_runtime.mapped import shared_bytes

Array: TypeAlias = npt.NDArray[Any]

_REQUEST = Struct("qq")  # the number of the run, and of the function
_ANSWER = Struct("qq")  # the number of the run, and the bytes of the error it ended with
_ERROR_BYTES = 1 << 16
_SAID = 8000  # characters of a message and of a place, at most; in UTF-8 both fit
# What a run may raise that the one who asked for it tells apart. Anything else comes as a RuntimeError that names it.
_RAISED = (IdError, IndexError, FloatingPointError, MemoryError, RuntimeError)
# Seconds that a message is looked for before the process sleeps: shards end nearly together, and to be woken takes 10 to 30 us.
_AWAKE = 50e-6
_OPEN_FILES = "/proc/self/fd"


def can_fork() -> bool:
    """Whether a worker can be forked. Only on Linux: elsewhere a process cannot be forked, or its libraries do not outlive it."""
    return sys.platform == "linux" and Path(_OPEN_FILES).exists()


class Worker:
    """A process that runs one of a few functions whenever it is asked to."""

    __slots__ = ("__weakref__", "_answers", "_asked", "_end", "_error", "_owner", "_pid", "_wake")

    def __init__(self, *runs: Callable[[], None]) -> None:
        """Fork it.

        Args:
            runs: called under ``np.errstate(all="ignore")``. What they read of this process's later writes, and what they write
                for this process, must lie in shared memory.

        Raises:
            RuntimeFault: DL5090 the system gives no process.
        """
        self._error = shared_bytes(_ERROR_BYTES)
        self._owner = os.getpid()
        self._asked = 0
        asked, self._wake = os.pipe()
        self._answers, answer = os.pipe()
        for end in (asked, self._answers):
            os.set_blocking(end, False)
        try:
            self._pid = _fork()
        except OSError as error:
            for end in (asked, self._wake, self._answers, answer):
                os.close(end)
            raise _no_worker("a worker process cannot be started", why(error)) from error
        if self._pid == 0:
            _serve(runs, self._error, asked, answer)
        os.close(asked)
        os.close(answer)
        self._end = weakref.finalize(self, _end, self._owner, self._pid, self._wake, self._answers)

    @property
    def alive(self) -> bool:
        """Whether it can be asked to run."""
        return self._end.alive

    def start(self, which: int = 0) -> None:
        """Ask for a run of one of the functions. One that nobody waited for, because of an error or Ctrl-C, does no harm.

        Raises:
            RuntimeFault: DL5090 the process has ended.
            RuntimeError: it was closed, or forked by another process than this one.
        """
        if not self._end.alive or os.getpid() != self._owner:
            raise RuntimeError("the worker was closed, or belongs to another process")
        self._asked += 1
        try:
            os.write(self._wake, _REQUEST.pack(self._asked, which))
        except BrokenPipeError:
            raise self._ended() from None

    def wait(self) -> None:
        """Wait for the end of the run asked for last.

        Raises:
            Exception: what the run raised.
            RuntimeFault: DL5090 the process has ended.
        """
        number = size = 0
        while number != self._asked:
            answer = _received(self._answers, _ANSWER.size)
            if not answer:
                raise self._ended()
            number, size = _ANSWER.unpack(answer)
        if size:
            raise _unpacked(self._error[:size].tobytes())

    def close(self) -> None:
        """End the process."""
        self._end()

    def _ended(self) -> RuntimeFault:
        cause = "how is not known: something else has waited for it"
        with suppress(ChildProcessError):
            code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
            cause = f"its code is {code}"
            if code < 0:
                cause = f"signal {-code} ended it: the system does so where memory runs out"
        self.close()
        return _no_worker("a worker process has ended", cause)


def _no_worker(message: str, cause: str) -> RuntimeFault:
    mend = "`--threads 1` (in Python `threads=1`) trains in this process alone; smaller batches take less memory"
    return RuntimeFault("DL5090", message, notes=[cause], help=mend)


def _fork() -> int:
    """`os.fork`, with the signals that ask to end blocked in the new process for good: they are the affair of the one that forks.

    Other threads of this process may hold locks at that moment, and in the new one nobody would release them. That is safe for a
    function that only computes: it takes no lock but the allocator's and BLAS's, which both see to forks themselves.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ASKING)
    pid = -1
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*multi-threaded.*fork", DeprecationWarning)  # from Python 3.12 on
            pid = os.fork()
    finally:
        if pid != 0:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def _serve(runs: Sequence[Callable[[], None]], error: Array, asked: int, answer: int) -> NoReturn:
    """All that a worker does. Nothing leaves it but answers: no text, no exception, no handler run at exit."""
    code = 1
    try:
        _let_go(asked, answer)
        with np.errstate(all="ignore"):
            while request := _received(asked, _REQUEST.size):
                number, which = _REQUEST.unpack(request)
                run = runs[int(which)]
                os.write(answer, _ANSWER.pack(number, _attempt(run, error)))
        code = 0
    finally:
        os._exit(code)


def _received(end: int, size: int) -> bytes:
    """The next message of a pipe that does not block; none where the pipe is at its end."""
    asleep = perf_counter() + _AWAKE
    while True:
        try:
            return os.read(end, size)
        except BlockingIOError:
            if perf_counter() > asleep:
                poll = select.poll()
                poll.register(end, select.POLLIN)
                poll.poll()


def _let_go(*ends: int) -> None:
    """Give up what a worker has of the process that forked it: open files, handlers of signals, garbage to collect."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in {0, 1, 2}.difference(ends):
        os.dup2(nothing, standard)
    for number in [int(each.name) for each in Path(_OPEN_FILES).iterdir()]:
        if number not in (0, 1, 2, *ends):
            with suppress(OSError):  # the one that the list itself was read from
                os.close(number)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    gc.disable()


def _attempt(run: Callable[[], None], error: Array) -> int:
    """Run; the bytes of the exception it ended with, 0 if there was none."""
    try:
        run()
    except Exception as raised:
        packed = _packed(raised)
        error[: len(packed)] = np.frombuffer(packed, np.uint8)
        return len(packed)
    return 0


def _packed(raised: Exception) -> bytes:
    """What an exception is and says, and where it was raised, as text."""
    place = "".join(traceback.format_tb(raised.__traceback__, limit=-4))
    known = type(raised) if type(raised) in _RAISED else RuntimeError
    said = str(raised) if known is type(raised) else f"{type(raised).__name__}: {raised}"
    return "\0".join((known.__name__, said[:_SAID], place[:_SAID])).encode(errors="replace")


def _unpacked(packed: bytes) -> Exception:
    """The exception that a worker told of."""
    name, said, place = packed.decode().split("\0", 2)
    known = next(each for each in _RAISED if each.__name__ == name)
    raised = known(said)
    raised.add_note(f"in a worker process:\n{place}")
    return raised


def _end(owner: int, pid: int, *ends: int) -> None:
    """Close the pipes and end the worker, which holds nothing that an end at any moment could harm."""
    for end in ends:
        os.close(end)
    if os.getpid() != owner:
        return
    with suppress(ChildProcessError):  # it has ended, and somebody has waited for it
        if os.waitpid(pid, os.WNOHANG) == (0, 0):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
