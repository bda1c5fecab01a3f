"""dslc: the training loop's own steps (fill the inputs, run, read the loss), or a model in inference mode."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from time import perf_counter

import numpy as np

import dslc
from benchmarks.case import Case
from benchmarks.stacks.built import Built
from benchmarks.workloads import PROGRAMS, RATE, Array, Workload
from dslc.api import Trainer
from dslc.backends.numpy_forms import specialise
from dslc.backends.plan import plan
from dslc.backends.to_numpy import compile_numpy
from dslc.driver.frontend import check_program, read_source
from dslc.driver.models import initial_params
from dslc.driver.sharing import cores_for, shared_out
from dslc.driver.training import choose_train, compiled
from dslc.graph import Graph
from dslc.passes import optimize
from dslc.training import training_graphs
from dslc_runtime.data.parts import Part, read_only
from dslc_runtime.engine import feed
from dslc_runtime.loop import TIDY_STEPS
from dslc_runtime.state import State
from dslc_runtime.threads import limited


def load(threads: int) -> None:
    """All is imported with this module; the variables that the process was started with say how many threads BLAS uses."""
    del threads


def build(case: Case, variant: str, threads: int) -> Built:
    """Make a case ready to run."""
    trainer = trainer_of(case.workload)
    set_params(trainer, case.params)
    return _forward(case, trainer) if variant == "forward" else _training(case, trainer, threads)


def first_values(workload: Workload) -> dict[str, Array]:
    """The first values of a workload's parameters, by key."""
    return dict(trainer_of(workload).models["net"].params)


def trainer_of(workload: Workload, **more: float) -> Trainer:
    program = dslc.load(PROGRAMS / f"{workload.program}.dl")
    settings = {f"train.{workload.train}.optimizer.lr": RATE}
    return program.trainer(workload.train, set=settings | more)


def set_params(trainer: Trainer, params: Mapping[str, Array]) -> None:
    for key, value in params.items():
        trainer.models["net"].params[key][...] = value


def _training(case: Case, trainer: Trainer, threads: int) -> Built:
    prepared, rows = trainer._prepared, case.workload.rows
    graphs, state = prepared.graphs.steps, prepared.state
    cores = cores_for(graphs, state, Part(case.batch), rows, threads, share=True)
    steps, state = ExitStack().enter_context(shared_out(cores, state, prepared.steps, remat=False))
    ready = feed(steps[0], state.for_training, read_only(case.batch), rows, seed=0)
    every, bound = np.arange(rows), ready.bound
    done = 0

    def run(steps: int) -> None:
        nonlocal done
        with limited(cores.in_steps), np.errstate(all="ignore"):
            for step in range(done + 1, done + steps + 1):
                ready.fill(every, step)
                bound.step(*({"lr": RATE, "step": float(step)}[name] for name in bound.scalars))
                float(bound.outputs["loss"])
                if step % TIDY_STEPS == 0:
                    state.drop_tiny()
        done += steps

    def gradients() -> Mapping[str, Array]:
        plain = trainer_of(case.workload, **({case.workload.dropout: 0.0} if case.workload.dropout else {}))
        set_params(plain, case.params)
        return plain.gradients(case.batch)[1]

    return Built(run, gradients, lambda: _stages(case, threads))


def _forward(case: Case, trainer: Trainer) -> Built:
    model = trainer.models["net"]
    inputs = dict(zip(model.inputs, case.inputs, strict=True))

    def run(steps: int) -> None:
        for _ in range(steps):
            model(**inputs)

    return Built(run, lambda: model(**inputs))


def _stages(case: Case, threads: int) -> dict[str, object]:
    """Milliseconds of each stage from the text to a step that is bound, once more, and the bytes of its plan."""
    found: dict[str, float] = {}
    last = perf_counter()

    def took(stage: str) -> None:
        nonlocal last
        found[stage] = (perf_counter() - last) * 1e3
        last = perf_counter()

    checked = check_program(read_source(PROGRAMS / f"{case.workload.program}.dl"))
    took("parse and check")
    typed = choose_train(checked, case.workload.train)
    graphs = training_graphs(typed)
    took("training graph")
    state = State.of(initial_params(typed.params, typed.seed), graphs.groups, graphs.buffers)
    last = perf_counter()  # first values are drawn, not compiled
    rows = case.workload.rows
    cores = cores_for(graphs.steps, state, Part(case.batch), rows, threads, share=True)
    with shared_out(cores, state, compiled(graphs.steps), remat=False) as (steps, running):
        step = steps[0]
        took("cut, passes, plan, source and load")
        feed(step, running.for_training, case.batch, rows, seed=0)
        took("bind")
    return {"compile_ms": found, "plan_bytes": _plan_bytes(graphs.steps[0], case), "processes": cores.processes}


def _plan_bytes(graph: Graph, case: Case) -> dict[str, int]:
    """The memory of a step on one process as it is planned, and the least there can be."""
    made = plan(specialise(optimize(graph)))
    sizes = compile_numpy(optimize(graph)).sizes_of({name: array.shape for name, array in case.batch.items()})
    return {"arena": made.scratch_bytes(sizes), "live": made.live_bytes(sizes)}
