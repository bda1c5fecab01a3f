"""What training changes: parameters and buffers by key, and the flat vectors that parameters and the optimizer's slots live in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.arena import Layout
from dslc_runtime.mapped import shared_copy

Array: TypeAlias = npt.NDArray[Any]

# Slots below this are set to 0. Far above the subnormals (1e-38, 2e-308), and far below what can move a parameter: Adam's
# second moment counts against epsilon, and sqrt(1e-32) is 1e-8 times the usual 1e-8.
_TINY = {np.dtype(np.float32): 1e-32, np.dtype(np.float64): 1e-290}
_TILE = 1 << 16

AVERAGE = "ema"  # the slot of a group that holds the running mean of its parameters


@dataclass(frozen=True, slots=True)
class Group:
    """Parameters that are updated by the same steps. They lie in one vector, and each slot of an optimizer is one like it.

    Names of vectors hold a `/`, which no key of a parameter does.

    Attributes:
        name: "all", or the steps that update it ("critic+generator").
        layout: where each parameter lies in the vectors.
        dtype: of the vectors.
        slots: the optimizers' vectors, with the step they belong to in front where there are several ("critic.m"), and `AVERAGE`.
        sums: vectors that gradients are summed up in between updates; 0 at the end of an epoch, so nobody saves them.
    """

    name: str
    layout: Layout
    dtype: npt.DTypeLike
    slots: tuple[str, ...] = ()
    sums: tuple[str, ...] = ()

    @property
    def params(self) -> str:
        """The name of the vector of parameters."""
        return vector_name("params", self.name)


def vector_name(what: str, group: str) -> str:
    """The name of a group's vector: `params/all`, `critic.m/critic`."""
    return f"{what}/{group}"


@dataclass(frozen=True, slots=True)
class State:
    """Memory that training programs are bound to; it is written in place and never replaced.

    Attributes:
        params: every parameter and buffer by key. Trained ones are views of their group's vector, the others stand alone.
        arenas: the vectors by name: parameters and slots of every group.
        groups: what is trained.
        buffers: keys of what training writes without a gradient.
    """

    params: Mapping[str, Array]
    arenas: Mapping[str, Array]
    groups: tuple[Group, ...]
    buffers: tuple[str, ...] = ()

    @classmethod
    def of(cls, params: Mapping[str, Array], groups: Sequence[Group], buffers: Sequence[str] = ()) -> State:
        """A state of its own memory; slots are 0 at first.

        Args:
            params: first values of all parameters and buffers, in the order to show and save them.
        """
        arenas: dict[str, Array] = {}
        views: dict[str, Array] = {}
        for group in groups:
            flat = group.layout.pack(params, group.dtype)
            arenas[group.params] = flat
            views |= group.layout.views(flat)
            arenas |= {vector_name(slot, group.name): np.zeros_like(flat) for slot in (*group.slots, *group.sums)}
        held = {key: views[key] if key in views else value.copy() for key, value in params.items()}
        return cls(held, arenas, tuple(groups), tuple(buffers))

    @property
    def for_training(self) -> dict[str, Array]:
        """What a training program is bound to."""
        return {**self.params, **self.arenas}

    @property
    def weights(self) -> dict[str, Array]:
        """What a trained model is made of, by key: the running means where there are any, else the parameters themselves."""
        found = dict(self.params)
        for group in self.groups:
            if AVERAGE in group.slots:
                found |= group.layout.views(self.arenas[vector_name(AVERAGE, group.name)])
        return found

    @property
    def written(self) -> tuple[str, ...]:
        """The keys of everything training changes."""
        return (*(segment.key for group in self.groups for segment in group.layout.segments), *self.buffers)

    def tensors(self) -> dict[str, Array]:
        """Views of everything there is to save, by name: `key` for a parameter, `slot/key` for its part of a slot.

        Slots are saved by key, so that an order of parameters that changes with the program cannot mix them up.
        """
        found = dict(self.params)
        for group, slot, vector in self._slots():
            found |= {f"{slot}/{key}": view for key, view in group.layout.views(vector).items()}
        return found

    def copy(self, copied: Callable[[Array], Array] = np.copy) -> State:
        """The same values in memory of their own; what training does not write is the same memory.

        Args:
            copied: copies an array.
        """
        return self._copied(copied, self.buffers)

    def shared(self) -> State:
        """The same values in memory that this process shares with those it forks from then on, and in no other."""
        trained = {segment.key for group in self.groups for segment in group.layout.segments}
        return self._copied(shared_copy, [key for key in self.params if key not in trained])

    def _copied(self, copied: Callable[[Array], Array], others: Sequence[str]) -> State:
        """The values in other memory: all vectors, and the arrays with these keys."""
        arenas = {name: copied(arena) for name, arena in self.arenas.items()}
        own = {key: copied(self.params[key]) for key in others}
        for group in self.groups:
            own |= group.layout.views(arenas[group.params])
        return State(
            {key: own.get(key, value) for key, value in self.params.items()}, arenas, self.groups, self.buffers
        )

    def copy_from(self, other: State) -> None:
        """Take over everything a training writes from a state of the same groups."""
        for name, arena in self.arenas.items():
            np.copyto(arena, other.arenas[name])
        for key in self.buffers:
            np.copyto(self.params[key], other.params[key])

    def drop_tiny(self) -> None:
        """Set what is tiny in the optimizers' slots to 0.

        A moment whose gradient stays 0 decays into subnormal numbers and, by rounding, never reaches 0; arithmetic on those is
        15 to 50 times slower. On MNIST (pixels that are nearly always 0) a training step takes half as long again without this.
        """
        for _, _, slot in self._slots():
            if slot.dtype not in _TINY:
                continue
            for start in range(0, slot.size, _TILE):
                tile = slot[start : start + _TILE]
                np.multiply(tile, np.abs(tile) >= _TINY[slot.dtype], out=tile)

    def non_finite(self) -> str:
        """The key of the first trained parameter or buffer holding a NaN or an infinity, or ""."""
        for group in self.groups:
            flat = self.arenas[group.params]
            if isfinite(np.dot(flat, flat)):  # one pass; a sum that merely overflows is looked at below
                continue
            for key, view in group.layout.views(flat).items():
                if not np.isfinite(view).all():
                    return key
        return next((key for key in self.buffers if not np.isfinite(self.params[key]).all()), "")

    def assign(self, tensors: Mapping[str, Array]) -> None:
        """Overwrite the memory with tensors named as `tensors()` names them."""
        for name, memory in self.tensors().items():
            memory[...] = tensors[name]

    def _slots(self) -> Iterator[tuple[Group, str, Array]]:
        for group in self.groups:
            for slot in group.slots:
                yield group, slot, self.arenas[vector_name(slot, group.name)]
