"""JAX: a whole step, compiled by XLA; its optimizers are written out, as JAX has none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.case import Case
from benchmarks.stacks.built import Built
from benchmarks.stacks.jax_nets import NETS
from benchmarks.workloads import RATE, Array


def load(threads: int) -> None:
    """Run on so many cores: XLA has as many threads as there are cores it may use."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def build(case: Case, variant: str, threads: int) -> Built:
    """Make a case ready to run."""
    del variant, threads
    net = NETS[case.workload.program]
    params = {key: jnp.asarray(value) for key, value in case.params.items()}
    (x,), target = map(jnp.asarray, case.inputs), jnp.asarray(case.target)

    def loss_of(values: Any, key: Any) -> Any:
        found = net(values, x, key)
        if not case.classifies:
            return jnp.mean((found - target) ** 2)
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(found), target[:, None], axis=1))

    @partial(jax.jit, donate_argnums=0)
    def update(state: Any) -> Any:
        values, slots, count = state
        key = jax.random.fold_in(jax.random.key(0), count) if case.workload.dropout else None
        loss, gradients = jax.value_and_grad(loss_of)(values, key)
        return _updated(case.workload.optimizer, values, slots, gradients, count + 1), loss

    zeros = jax.tree.map(jnp.zeros_like, params)
    state = jax.tree.map(jnp.array, (params, {"m": zeros, "v": zeros}, jnp.zeros((), jnp.int32)))

    def run(steps: int) -> None:
        nonlocal state
        for _ in range(steps):
            state, loss = update(state)
            float(loss)

    def gradients() -> Mapping[str, Array]:
        return {key: np.asarray(value) for key, value in jax.grad(loss_of)(params, None).items()}

    return Built(run, gradients)


def _updated(optimizer: str, values: Any, slots: Any, gradients: Any, count: Any) -> Any:
    """Parameters and slots after a step."""
    if optimizer == "sgd":
        return jax.tree.map(lambda p, g: p - RATE * g, values, gradients), slots, count
    if optimizer == "momentum":
        m = jax.tree.map(lambda m, g: 0.9 * m + g, slots["m"], gradients)
        return jax.tree.map(lambda p, m: p - RATE * m, values, m), {"m": m, "v": slots["v"]}, count
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, slots["m"], gradients)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, slots["v"], gradients)
    first, second = 1 - 0.9**count, 1 - 0.999**count

    def moved(p: Any, m: Any, v: Any) -> Any:
        return p - RATE * (m / first) / (jnp.sqrt(v / second) + 1e-8)

    return jax.tree.map(moved, values, m, v), {"m": m, "v": v}, count
