"""Worker processes: they run what they are asked to, hand on what goes wrong, and never outlive or outstay anybody."""

from __future__ import annotations

import errno
import gc
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from processes import is_there

from dslc_runtime.errors import IdError, RuntimeFault
from dslc_runtime.interrupts import ASKING
from dslc_runtime.mapped import is_shared, own_bytes, own_copy, private_bytes, shared_bytes, shared_copy
from dslc_runtime.workers import Worker, can_fork

pytestmark = pytest.mark.skipif(not can_fork(), reason="processes cannot be forked here")


@pytest.fixture
def memory() -> np.ndarray:
    return np.ndarray(4, np.float64, shared_bytes(32))


@pytest.fixture
def fork() -> Iterator[Callable[[Callable[[], None]], Worker]]:
    """Make workers that the test need not end."""
    made: list[Worker] = []

    def make(run: Callable[[], None]) -> Worker:
        made.append(Worker(run))
        return made[-1]

    yield make
    for worker in made:
        worker.close()


def run(worker: Worker) -> None:
    worker.start()
    worker.wait()


def test_a_worker_computes_in_another_process_on_memory_that_both_have(fork, memory) -> None:
    def double() -> None:
        memory[1] = 2 * memory[0]
        memory[2] = os.getpid()

    worker = fork(double)
    for value in (3.0, 4.0):
        memory[0] = value
        run(worker)
        assert memory[1] == 2 * value
    assert memory[2] != os.getpid()


def test_what_a_run_raises_is_raised_here_with_its_place_and_the_worker_goes_on(fork, memory) -> None:
    def check() -> None:
        if memory[0]:
            raise IdError(f"id {memory[0]:g} is not one of the 3 ids")
        memory[1] = 1

    worker = fork(check)
    memory[0] = 7
    worker.start()
    with pytest.raises(IdError, match="id 7 is not one of the 3 ids") as caught:
        worker.wait()
    assert "in a worker process:" in caught.value.__notes__[0]
    assert "in check" in caught.value.__notes__[0]
    memory[0] = 0
    run(worker)
    assert memory[1] == 1


def test_an_exception_that_nobody_tells_apart_comes_in_words(fork) -> None:
    class LocalError(Exception):
        pass

    def fail() -> None:
        raise LocalError("of this function alone")

    worker = fork(fail)
    worker.start()
    with pytest.raises(RuntimeError, match="LocalError: of this function alone"):
        worker.wait()


def test_a_process_that_waits_for_another_sleeps(fork, memory) -> None:
    def work() -> None:
        memory[1] = time.process_time() - memory[0]
        time.sleep(0.3)
        memory[0] = time.process_time()

    worker = fork(work)
    run(worker)
    time.sleep(0.3)
    before = time.process_time()
    run(worker)
    assert time.process_time() - before < 0.1
    assert memory[1] < 0.1


def test_a_run_that_nobody_waited_for_does_not_count_as_the_next(fork, memory) -> None:
    def count() -> None:
        memory[0] += 1
        if memory[0] == 1:
            raise ValueError("the run that nobody waits for")

    worker = fork(count)
    worker.start()
    worker.start()
    worker.wait()
    assert memory[0] == 2


@pytest.mark.parametrize("when", ["before a run", "in a run"])
def test_a_worker_that_is_killed_is_a_fault_with_a_code(fork, memory, when: str) -> None:
    def work() -> None:
        memory[0] = os.getpid()
        if memory[1]:
            os.kill(os.getpid(), signal.SIGKILL)

    worker = fork(work)
    run(worker)
    process = int(memory[0])
    memory[1] = 1
    if when == "before a run":
        os.kill(process, signal.SIGKILL)
    with pytest.raises(RuntimeFault) as caught:
        run(worker)
    assert caught.value.code == "DL5090"
    assert caught.value.notes == ("signal 9 ended it: the system does so where memory runs out",)
    assert "`--threads 1`" in caught.value.help
    assert not worker.alive
    assert not is_there(process)
    with pytest.raises(RuntimeError, match="the worker was closed"):
        worker.start()


@pytest.mark.parametrize("how", ["closed", "dropped", "closed in a run"])
def test_a_worker_ends_when_nobody_has_it_and_leaves_no_zombie(memory, how: str) -> None:
    def work() -> None:
        memory[0] = os.getpid()
        while memory[1]:
            signal.pause()

    worker = Worker(work)
    run(worker)
    process = int(memory[0])
    assert is_there(process)
    if how == "closed in a run":
        memory[1] = 1
        worker.start()
    if how == "dropped":
        del worker
        gc.collect()
    else:
        worker.close()
        worker.close()
    assert not is_there(process)


@pytest.mark.parametrize("asked", ASKING, ids=str)
def test_to_be_asked_to_end_is_not_a_workers_affair(fork, memory, asked: signal.Signals) -> None:
    def work() -> None:
        os.kill(os.getpid(), asked)
        memory[0] += 1

    worker = fork(work)
    run(worker)
    run(worker)
    assert memory[0] == 2


def test_ctrl_c_in_the_midst_of_a_run_leaves_the_pipes_in_order(fork, memory) -> None:
    def work() -> None:
        if memory[1]:
            os.kill(os.getppid(), signal.SIGINT)
        memory[0] = memory[2]

    def run_until_interrupted() -> None:
        while True:
            run(worker)

    worker = fork(work)
    memory[1] = 1
    with pytest.raises(KeyboardInterrupt):
        run_until_interrupted()
    memory[1:3] = 0, 5
    run(worker)
    assert memory[0] == 5


def test_a_worker_has_no_files_but_its_pipes_and_writes_nowhere(fork, memory, capfd) -> None:
    def work() -> None:
        os.write(1, b"loud")
        os.write(2, b"louder")
        memory[0] = sum(map(is_open, range(3, 1000)))

    first = fork(lambda: None)
    worker = fork(work)
    run(first)
    run(worker)
    assert memory[0] == 2
    assert capfd.readouterr() == ("", "")


def is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def test_a_worker_warns_of_nothing_where_numpy_would(fork, memory) -> None:
    def work() -> None:
        memory[0] = np.float32(1e38) * np.float32(1e38)

    run(worker := fork(work))
    assert memory[0] == np.inf
    assert worker.alive


def test_a_system_without_processes_to_spare_is_a_fault_and_leaves_no_files_open(monkeypatch) -> None:
    def refuse() -> int:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    before = sum(map(is_open, range(1000)))
    monkeypatch.setattr(os, "fork", refuse)
    with pytest.raises(RuntimeFault, match="a worker process cannot be started") as caught:
        Worker(lambda: None)
    assert caught.value.code == "DL5090"
    assert caught.value.notes == ("resource temporarily unavailable",)
    assert sum(map(is_open, range(1000))) == before
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_worker_that_something_else_has_waited_for_is_a_fault_too(fork, memory) -> None:
    def work() -> None:
        memory[0] = os.getpid()

    worker = fork(work)
    run(worker)
    os.kill(int(memory[0]), signal.SIGKILL)
    os.waitpid(int(memory[0]), 0)
    with pytest.raises(RuntimeFault, match="a worker process has ended"):
        run(worker)


def test_another_process_cannot_use_a_worker(fork) -> None:
    worker = fork(lambda: None)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            worker.start()
        except RuntimeError:
            code = 0
            worker.close()  # ends nothing
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    run(worker)


KILLED = """
import os, signal
from functools import partial
import numpy as np
from dslc_runtime.mapped import shared_bytes
from dslc_runtime.workers import Worker

numbers = np.ndarray(3, np.int64, shared_bytes(24))

def run(index):
    numbers[index] = os.getpid()

workers = [Worker(partial(run, index)) for index in range(3)]
for worker in workers:
    worker.start()
    worker.wait()
print(*numbers, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_no_worker_behind() -> None:
    done = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    workers = [int(number) for number in done.stdout.split()]
    assert len(workers) == 3
    assert all(map(ends, workers))


def ends(process: int) -> bool:
    """Wait until a process has ended; False if it does not."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    ended, _, _ = select.select([handle], [], [], 60)
    os.close(handle)
    return bool(ended)


def test_arrays_know_whether_they_are_shared() -> None:
    assert is_shared(shared_copy(np.arange(6.0)).reshape(2, 3)[1:, ::2].view(np.int64))
    for array in (np.zeros(3), private_bytes(8), own_bytes(8), np.frombuffer(b"abc", np.uint8), np.array(1.0)):
        assert not is_shared(array)


def test_copies_in_other_memory_are_equal_and_those_in_shared_memory_aligned() -> None:
    for array in (np.arange(6, dtype=np.float32).reshape(2, 3), np.array(3.5), np.zeros((0, 2)), np.ones(1 << 18)):
        for copied in (shared_copy, own_copy):
            copy = copied(array)
            np.testing.assert_array_equal(copy, array)
            assert (copy.dtype, copy.shape) == (array.dtype, array.shape)
            assert not np.shares_memory(copy, array)
        assert shared_copy(array).ctypes.data % 64 == 0


def test_forked_processes_have_no_copy_of_memory_that_is_kept_from_them(fork, memory) -> None:
    kept, both = own_copy(np.ones(1 << 20)), np.ones(1 << 20)

    def look() -> None:
        maps = [line.split()[0].split("-") for line in Path("/proc/self/maps").read_text("utf-8").splitlines()]
        ranges = [range(int(start, 16), int(stop, 16)) for start, stop in maps]
        memory[:2] = [any(array.ctypes.data in each for each in ranges) for array in (kept, both)]

    run(fork(look))
    assert memory[:2].tolist() == [0, 1]
    assert kept[-1] == 1
