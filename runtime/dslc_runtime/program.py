"""A compiled program: generated source and what it takes and gives -> arrays bound for given sizes -> runs.

`Program` knows names, types and the text of the generated module. `Program.bind` gives it memory for one choice of run-time
sizes; a `Bound` has static input buffers that the caller fills, and runs. Neither draws random numbers nor reads data.

How text becomes code is the affair of `dslc_runtime.generated`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.face import Face, SizeError, TensorSpec
from dslc_runtime.filling import Fill, Filling, Source
from dslc_runtime.generated import NoSizeError
from dslc_runtime.kernels.steps import Work
from dslc_runtime.memory import Growing, Memory, aligned, in_a_row, shared
from dslc_runtime.random import Draw, DrawSpec, drawing
from dslc_runtime.recurrence import Lanes, Run, Wiring, bind_steps

Array: TypeAlias = npt.NDArray[Any]
Buffer: TypeAlias = tuple[tuple[int, ...], np.dtype[Any]]  # shape and element type

_CACHED = 8  # bindings kept: a full batch, the last short one, validation, and a few lengths of sequences


class Bound:
    """A program with memory for one choice of sizes.

    Attributes:
        inputs: static buffers by name, to be filled before a run; a run never writes them.
        draws: the random tensors as (what to draw, buffer to fill).
        outputs: results, valid until the next run of the program.
        scalars: the names of the numbers that `run` and `step` take, in order.
        step: one run, without looking after NumPy's warnings: call it under ``np.errstate(all="ignore")``, with the
            scalars in order. For loops.
        arena_bytes: size of the scratch memory this binding needs.
    """

    __slots__ = ("_drawing", "arena_bytes", "draws", "inputs", "outputs", "scalars", "step")

    def __init__(
        self,
        inputs: Mapping[str, Array],
        draws: Sequence[tuple[DrawSpec, Array]],
        outputs: Mapping[str, Array],
        scalars: tuple[str, ...],
        step: Callable[..., None],
        arena_bytes: int,
    ) -> None:
        self.inputs = dict(inputs)
        self.draws = tuple(draws)
        self.outputs = dict(outputs)
        self.scalars = scalars
        self.step = step
        self.arena_bytes = arena_bytes
        self._drawing: tuple[int, tuple[Draw, ...]] | None = None

    def drawing(self, seed: int) -> tuple[Draw, ...]:
        """What fills each random tensor for a step; the functions for the last seed asked for are kept."""
        if self._drawing is None or self._drawing[0] != seed:
            self._drawing = seed, tuple(drawing(spec, seed, buffer) for spec, buffer in self.draws)
        return self._drawing[1]

    def run(self, **scalars: float) -> None:
        """One run; the scalars are the program's scalar inputs by name.

        Raises:
            NonFiniteError: the loss is not finite; no state has been written.
            TypeError: a scalar is missing or unknown.
        """
        if scalars.keys() != set(self.scalars):
            raise TypeError(f"the program takes the scalars {list(self.scalars)}, got {list(scalars)}")
        with np.errstate(all="ignore"):
            self.step(*[scalars[name] for name in self.scalars])


@dataclass(frozen=True, slots=True)
class Layout:
    """Where buffers start in scratch memory, which they share, and in memory that is kept; bytes of both."""

    at: Sequence[int]
    scratch: int
    kept_at: Sequence[int]
    kept: int


@dataclass(slots=True)
class Program:
    """A compiled program.

    Attributes:
        face: what it takes and gives.
        code: the functions of the generated module by name: `sizes`, `shapes`, `memory`, `bind`.
        constants: the arrays the source calls `c0`, `c1`, ...
        bodies: the programs of one step that the source runs along time by ``scan(number, ...)``, and how to connect steps.
            A step's operands are its parameters, its results are its states.
        source: the text of the generated module.
    """

    face: Face
    code: Mapping[str, Callable[..., Any]] = field(repr=False)
    constants: tuple[Array, ...]
    bodies: tuple[tuple[Program, Wiring], ...] = ()
    source: str = ""
    _bound: OrderedDict[tuple[object, ...], tuple[Bound, object]] = field(
        default_factory=OrderedDict[tuple[object, ...], tuple[Bound, object]], repr=False
    )
    _own: Memory = field(default_factory=lambda: Memory(Growing(aligned), aligned), repr=False)
    _work: Work = field(default_factory=Work, repr=False)
    _solved: OrderedDict[tuple[tuple[int, ...], ...], dict[str, int]] = field(
        default_factory=OrderedDict[tuple[tuple[int, ...], ...], dict[str, int]], repr=False
    )
    _laid_out: OrderedDict[tuple[int, ...], Layout] = field(
        default_factory=OrderedDict[tuple[int, ...], Layout], repr=False
    )

    def listing(self) -> str:
        """The source, then that of every body it runs along time."""
        parts = [self.source]
        for number, (body, _) in enumerate(self.bodies):
            parts.append(f"# ---- one step of scan {number}\n\n{body.listing()}")
        return "\n\n".join(part.rstrip("\n") + "\n" for part in parts)

    @property
    def inputs(self) -> Mapping[str, TensorSpec]:
        """The array inputs by name."""
        return self.face.inputs

    @property
    def params(self) -> Mapping[str, TensorSpec]:
        """The parameters by key."""
        return self.face.params

    @property
    def states(self) -> Mapping[str, TensorSpec]:
        """What is read and rewritten by each run, by name."""
        return self.face.states

    @property
    def outputs(self) -> Mapping[str, TensorSpec]:
        """The results by name."""
        return self.face.outputs

    @property
    def draws(self) -> tuple[DrawSpec, ...]:
        """The random tensors a run needs."""
        return self.face.draws

    @property
    def scalars(self) -> tuple[str, ...]:
        """The inputs given as Python numbers."""
        return self.face.scalars

    @property
    def free_sizes(self) -> tuple[str, ...]:
        """The run-time sizes that no input tells, so that the caller must say."""
        return tuple(name for name, solve in self.face.sizes.items() if solve is None)

    def sizes_of(self, shapes: Mapping[str, Sequence[int]]) -> dict[str, int]:
        """The run-time sizes that shapes of all array inputs imply.

        Raises:
            SizeError: a shape does not fit the program, or two do not fit each other.
        """
        given = tuple([tuple(shapes[name]) for name in self.inputs])
        known = self._solved.get(given)
        if known is None:
            known = self._solve(given)
            self._solved[given] = known
            if len(self._solved) > _CACHED:
                self._solved.popitem(last=False)
        return dict(known)

    def _solve(self, given: tuple[tuple[int, ...], ...]) -> dict[str, int]:
        for (name, spec), shape in zip(self.inputs.items(), given, strict=True):
            if len(shape) != len(spec.shape):
                message = f"`{name}` has {len(shape)} axes, the program takes {len(spec.shape)}"
                raise SizeError(message, name, None, len(spec.shape), len(shape))
        sizes: dict[str, int] = {}
        for name, solve in self.face.sizes.items():
            if solve is not None:
                size = given[solve.input][solve.axis] * solve.den - solve.add
                sizes[name] = size // solve.mul
        if len(sizes) == len(self.face.sizes):
            self._check(self.inputs, given, self._shapes(sizes)[0])
        return sizes

    def fed(self, sizes: Mapping[str, int]) -> tuple[dict[str, Buffer], list[Buffer]]:
        """What is filled before a run for these sizes: the inputs by name, and the random tensors in order.

        Raises:
            SizeError: a size does not work out.
        """
        shapes = self._shapes(sizes)
        inputs = {name: (shape, spec.dtype) for (name, spec), shape in zip(self.inputs.items(), shapes[0], strict=True)}
        return inputs, list(shapes[1])

    def memory_bytes(self, sizes: Mapping[str, int]) -> int:
        """The bytes that a binding for these sizes needs besides parameters and states: inputs, draws, outputs and scratch.

        Nothing is allocated.

        Raises:
            SizeError: a size does not work out.
        """
        inputs, draws = self.fed(sizes)
        fed = sum(prod(shape) * dtype.itemsize for shape, dtype in (*inputs.values(), *draws))
        layout = self._layout(self._all_sizes(sizes))
        return fed + layout.scratch + layout.kept

    def bind(self, sizes: Mapping[str, int], arrays: Mapping[str, Array]) -> Bound:
        """Memory for one choice of sizes, around the given parameters and states, which are used where they lie.

        The last few bindings are kept, by sizes and identity of the arrays. They share scratch memory, so they run one at a
        time, and outputs of one are its own.

        Raises:
            SizeError: a size does not work out, or an array has another shape than the program's.
            TypeError: an array has another element type, or its elements do not lie in order.
        """
        params = [arrays[key] for key in self.params]
        states = [arrays[name] for name in self.states]
        key = (*(sizes[name] for name in self.face.sizes), *map(id, params), *map(id, states))
        known = self._bound.get(key)
        if known is not None:
            self._bound.move_to_end(key)
            return known[0]
        inputs, draws = self.fed(sizes)
        fed = [np.zeros(*buffer) for buffer in inputs.values()], [np.zeros(*buffer) for buffer in draws]
        bound = self._bind(sizes, params, states, *fed, self._own)
        self._bound[key] = bound, (params, states)
        if len(self._bound) > _CACHED:
            self._bound.popitem(last=False)
        return bound

    def bind_source(self, sizes: Mapping[str, int], arrays: Mapping[str, Array], source: Source) -> tuple[Bound, Fill]:
        """As `bind`, and what fills inputs and random tensors."""
        bound = self.bind(sizes, arrays)
        gather = tuple((rows, bound.inputs[name]) for name, rows in source.fields.items())
        return bound, Filling(gather, bound.drawing(source.seed))

    def bind_fed(
        self,
        sizes: Mapping[str, int],
        arrays: Mapping[str, Array],
        inputs: Mapping[str, Array],
        draws: Sequence[Array],
        memory: Memory,
    ) -> Bound:
        """A new binding around inputs and random tensors that are there already, in memory from elsewhere.

        Args:
            inputs: contiguous arrays as `fed` tells them; so are `draws`.

        Raises:
            SizeError, TypeError: as `bind` does.
        """
        params, states = ([arrays[name] for name in names] for names in (self.params, self.states))
        given = [inputs[name] for name in self.inputs]
        expected = self.fed(sizes)
        for array, buffer in zip((*given, *draws), (*expected[0].values(), *expected[1]), strict=True):
            assert (array.shape, array.dtype, array.flags.c_contiguous) == (*buffer, True)
        return self._bind(sizes, params, states, given, draws, memory)

    def _bind(
        self,
        sizes: Mapping[str, int],
        params: Sequence[Array],
        states: Sequence[Array],
        inputs: Sequence[Array],
        draws: Sequence[Array],
        memory: Memory,
    ) -> Bound:
        self._check_arrays(sizes, params, states)
        try:
            with np.errstate(all="ignore"):
                step, outputs = self.code["bind"](
                    self._all_sizes(sizes),
                    *self._places(sizes, memory),
                    inputs,
                    draws,
                    params,
                    states,
                    self.constants,
                    self._scan,
                    self._work,
                )
        except IndexError as error:  # a slice that reaches past the end where sizes are small
            raise SizeError(f"{error}, where {self._said(sizes)}") from error
        return Bound(
            dict(zip(self.inputs, inputs, strict=True)),
            list(zip(self.draws, draws, strict=True)),
            dict(zip(self.outputs, outputs, strict=True)),
            self.scalars,
            step,
            self._layout(self._all_sizes(sizes)).scratch,
        )

    def _check_arrays(self, sizes: Mapping[str, int], params: Sequence[Array], states: Sequence[Array]) -> None:
        shapes = self._shapes(sizes)
        for specs, arrays, expected in ((self.params, params, shapes[2]), (self.states, states, shapes[3])):
            self._check(specs, [array.shape for array in arrays], expected)
            for (name, spec), array in zip(specs.items(), arrays, strict=True):
                if array.dtype != spec.dtype or not array.flags.c_contiguous:
                    raise TypeError(f"`{name}` must be a contiguous array of {spec.dtype}, got {array.dtype}")

    def _places(self, sizes: Mapping[str, int], memory: Memory) -> tuple[Array, Sequence[int], Array, Sequence[int]]:
        """Scratch memory, kept memory, and where buffers start in them."""
        layout = self._layout(self._all_sizes(sizes))
        return memory.scratch(layout.scratch), layout.at, memory.kept(layout.kept), layout.kept_at

    def _layout(self, sizes: tuple[int, ...]) -> Layout:
        """Where buffers lie for these sizes."""
        known = self._laid_out.get(sizes)
        if known is None:
            lives, kept = self.code["memory"](sizes)
            known = self._laid_out[sizes] = Layout(*shared(lives), *in_a_row(kept))
            if len(self._laid_out) > _CACHED:
                self._laid_out.popitem(last=False)
        return known

    def _scan(
        self, number: int, sizes: Mapping[str, int], operands: Sequence[Array], targets: Sequence[Array | None]
    ) -> Run:
        """Bind a body for every step."""
        body, wiring = self.bodies[number]
        shapes = body._shapes(sizes)[3]
        values = [(shape, spec.dtype) for shape, spec in zip(shapes, body.states.values(), strict=True)]
        return bind_steps(wiring, values, operands, targets, partial(body._bind_steps, sizes))

    def _bind_steps(self, sizes: Mapping[str, int], lanes: Lanes, length: int) -> list[Run]:
        """The program once for every step. What is the same for all of them is looked at and made once."""
        params, states = ([lanes[name] for name in names] for names in (self.params, self.states))
        if not length:
            return []
        self._check_arrays(sizes, [lane[0] for lane in params], [lane[0] for lane in states])
        all_sizes, places, bind = self._all_sizes(sizes), self._places(sizes, self._own), self.code["bind"]
        return [
            bind(
                all_sizes,
                *places,
                (),
                (),
                [lane[step] for lane in params],
                [lane[step] for lane in states],
                self.constants,
                self._scan,
                self._work,
            )[0]
            for step in range(length)
        ]

    def _all_sizes(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The run-time sizes and all that is worked out from them."""
        try:
            return self.code["sizes"](*(sizes[name] for name in self.face.sizes))
        except NoSizeError as error:
            text = self.face.expressions[error.which]
            raise SizeError(f"`{text}` is not a size where {self._said(sizes)}") from error

    def _said(self, sizes: Mapping[str, int]) -> str:
        return ", ".join(f"{name} = {sizes[name]}" for name in self.face.sizes)

    def _shapes(self, sizes: Mapping[str, int]) -> Any:
        return self.code["shapes"](self._all_sizes(sizes))

    @staticmethod
    def _check(
        specs: Mapping[str, TensorSpec], given: Sequence[tuple[int, ...]], expected: Sequence[tuple[int, ...]]
    ) -> None:
        for (name, spec), got, want in zip(specs.items(), given, expected, strict=True):
            if len(got) != len(want):
                message = f"`{name}` has {len(got)} axes, the program takes {len(want)}"
                raise SizeError(message, name, None, len(want), len(got))
            for axis, (a, b) in enumerate(zip(got, want, strict=True)):
                if a != b:
                    text = f" ({spec.shape[axis]})" if isinstance(spec.shape[axis], str) else ""
                    message = f"axis {axis} of `{name}` must be {b}{text}, got {a}"
                    raise SizeError(message, name, axis, b, a)
