"""A training job written by hand in NumPy: linear regression with a random mask and momentum, behind the engine's interface.

It shares nothing with the compiler, so the loop can be tested before and without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dslc_runtime.arena import Layout
from dslc_runtime.data import Part
from dslc_runtime.data.parts import Rows
from dslc_runtime.filling import Fill, Source
from dslc_runtime.generated import NonFiniteError
from dslc_runtime.loop import Job
from dslc_runtime.random import DrawSpec, drawing
from dslc_runtime.state import Group, State
from dslc_runtime.updates import Update

MASK = DrawSpec("bernoulli", "net.mask", {"p": 0.75, "value": 4 / 3})
LAYOUT = Layout.of({"w": (3,), "b": (1,)})


@dataclass
class HandBound:
    inputs: dict[str, np.ndarray]
    draws: list[tuple[DrawSpec, np.ndarray]]
    outputs: dict[str, np.ndarray]
    scalars: tuple[str, ...]
    step: Callable[..., None]


@dataclass
class HandProgram:
    """`training`: one momentum step with a masked input; else loss and error of the whole input."""

    training: bool
    binds: int = 0

    @property
    def inputs(self) -> Mapping[str, object]:
        return {"x": None, "y": None}

    @property
    def free_sizes(self) -> tuple[str, ...]:
        return ()

    def sizes_of(self, shapes: Mapping[str, Any], /) -> dict[str, int]:
        assert shapes["x"][0] == shapes["y"][0]
        return {"B": shapes["x"][0]}

    def bind(self, sizes: Mapping[str, int], arrays: Mapping[str, np.ndarray], /) -> HandBound:
        self.binds += 1
        n = sizes["B"]
        x, y = np.zeros((n, 3), np.float32), np.zeros((n, 1), np.float32)
        mask = np.zeros((n, 3), np.float32)
        loss, worst = np.zeros((), np.float32), np.zeros((), np.float32)
        outputs = {"loss": loss, "worst": worst}
        if not self.training:

            def score() -> None:
                error = x @ arrays["w"][:, None] + arrays["b"] - y
                loss[...], worst[...] = np.mean(error * error), np.abs(error).max()

            return HandBound({"x": x, "y": y}, [], outputs, (), score)

        flat, momentum = arrays["params/all"], arrays["momentum/all"]
        views = LAYOUT.views(flat)

        def step(lr: float) -> None:
            masked = x * mask
            error = masked @ views["w"][:, None] + views["b"] - y
            loss[...], worst[...] = np.mean(error * error), np.abs(error).max()
            if not np.isfinite(loss):
                raise NonFiniteError("loss")
            g = np.concatenate([2 / n * (masked.T @ error)[:, 0], [2 * error.mean()]]).astype(np.float32)
            momentum[...] = np.float32(0.9) * momentum + g
            flat[...] -= np.float32(lr) * momentum

        return HandBound({"x": x, "y": y}, [(MASK, mask)], outputs, ("lr",), step)

    def bind_source(
        self, sizes: Mapping[str, int], arrays: Mapping[str, np.ndarray], source: Source, /
    ) -> tuple[HandBound, Fill]:
        bound = self.bind(sizes, arrays)

        def fill(rows: Rows, number: int) -> None:
            for name, buffer in bound.inputs.items():
                buffer[...] = source.fields[name][rows]
            for spec, buffer in bound.draws:
                drawing(spec, source.seed, buffer)(number)

        return bound, fill


def make_job(rows: int = 50, **changes: Any) -> Job:
    """A fresh job on data of its own; the last batch of an epoch is short."""
    source = np.random.default_rng(0)
    x = source.standard_normal((rows, 3)).astype(np.float32)
    y = (x @ np.array([[1.0], [-2.0], [0.5]]) + 0.3).astype(np.float32)
    fields = {"x": x, "y": y}
    cut = rows * 4 // 5
    state = State.of(
        {"w": np.zeros(3, np.float32), "b": np.zeros(1, np.float32)}, [Group("all", LAYOUT, "f4", ("momentum",))]
    )
    update = Update("", HandProgram(True), lambda step: 0.02 / (1 + 0.01 * step))
    update = replace(update, **{name: changes.pop(name) for name in ("rate", "diagnose", "plateau") if name in changes})
    job = Job(
        updates=(update,),
        inference=HandProgram(False),
        state=state,
        train=Part(fields, np.arange(cut)),
        val=Part(fields, np.arange(cut, rows)),
        batch=7,
        epochs=4,
        seed=3,
        data="fingerprint",
    )
    return replace(job, **changes)
