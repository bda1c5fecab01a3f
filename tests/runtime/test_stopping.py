"""Trainings that are asked to end: by Ctrl-C, by SIGTERM, by a terminal that hangs up."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Generator
from pathlib import Path

import pytest
from regression import make_job
from watching import Watch, files_of

from dslc_runtime.loop import train
from dslc_runtime.run_folder import RunFolder, create_run


@pytest.fixture
def hangup() -> Generator[signal.Signals]:
    """SIGHUP, handled after the test as before it: a training that it ended ignores further ones."""
    before = signal.getsignal(signal.SIGHUP)
    yield signal.SIGHUP
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_who_asks_it_to_end_gets_the_last_finished_epoch(run: RunFolder, tmp_path: Path, asked: signal.Signals) -> None:
    def press() -> None:
        os.kill(os.getpid(), asked)

    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    watch = Watch(2, press)
    job = make_job(epochs=50)
    result = train(job, run, watch)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert (result.interrupted, result.terminated) == (True, None if asked is signal.SIGINT else asked)
    assert watch.told[-1] == ("end", True)
    assert result.progress.epoch == 2
    other = create_run(tmp_path / "other", "", {})
    train(make_job(epochs=2), other)
    assert files_of(run) == files_of(other)


def test_a_terminal_that_hangs_up_twice_ends_it_once(hangup: signal.Signals) -> None:
    signal.signal(hangup, signal.SIG_DFL)
    result = train(make_job(epochs=50), None, Watch(2, lambda: os.kill(os.getpid(), hangup)))
    os.kill(os.getpid(), hangup)  # the shell's, while results are saved
    assert (result.progress.epoch, result.interrupted, result.terminated) == (2, True, hangup)


def test_what_ignores_that_a_terminal_hangs_up_trains_on(hangup: signal.Signals) -> None:
    signal.signal(hangup, signal.SIG_IGN)  # as `nohup` leaves it
    result = train(make_job(epochs=3), None, Watch(2, lambda: os.kill(os.getpid(), hangup)))
    assert (result.progress.epoch, result.interrupted) == (3, False)


def test_a_program_that_handles_sigterm_keeps_doing_so() -> None:
    told: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: told.append(number))
    try:
        result = train(make_job(epochs=3), None, Watch(2, lambda: os.kill(os.getpid(), signal.SIGTERM)))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert told == [signal.SIGTERM]
    assert not result.interrupted
    assert result.progress.epoch == 3


def test_ctrl_c_in_the_middle_of_an_epoch_puts_the_state_back() -> None:
    def rate(step: int) -> float:
        if step == 9:
            os.kill(os.getpid(), signal.SIGINT)
        return 0.02

    job = make_job(epochs=50, rate=rate)
    result = train(job)
    assert result.interrupted
    assert result.progress.epoch == 1
    expected = make_job(epochs=1, rate=lambda step: 0.02)
    train(expected)
    for name, arena in expected.state.arenas.items():
        assert arena.tobytes() == job.state.arenas[name].tobytes()


def test_an_interrupt_from_the_observer_ends_a_training_outside_the_main_thread() -> None:
    def press() -> None:
        raise KeyboardInterrupt

    found = []
    thread = threading.Thread(target=lambda: found.append(train(make_job(epochs=50), None, Watch(3, press))))
    thread.start()
    thread.join()
    assert found[0].interrupted
    assert found[0].progress.epoch == 3
