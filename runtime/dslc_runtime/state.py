"""What training changes: parameters by key, and the flat vectors they and the optimizer's slots live in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dslc_runtime.arena import Layout

Array: TypeAlias = npt.NDArray[Any]

PARAMS = "params"  # the arena of the trainable parameters

# Slots below this are set to 0. Far above the subnormals (1e-38, 2e-308), and far below what can move a parameter: Adam's
# second moment counts against epsilon, and sqrt(1e-32) is 1e-8 times the usual 1e-8.
_TINY = {np.dtype(np.float32): 1e-32, np.dtype(np.float64): 1e-290}
_TILE = 1 << 16


@dataclass(frozen=True, slots=True)
class State:
    """Memory a training program is bound to; it is written in place and never replaced.

    Attributes:
        params: every parameter by key. Trainable ones are views of ``arenas["params"]``, frozen ones stand alone.
        arenas: the training program's states: `params` and the optimizer's slots.
        layout: where each trainable parameter lies in an arena.
    """

    params: Mapping[str, Array]
    arenas: Mapping[str, Array]
    layout: Layout

    @classmethod
    def of(cls, params: Mapping[str, Array], layout: Layout, slots: Iterable[str], dtype: npt.DTypeLike) -> State:
        """A state of its own memory.

        Args:
            params: first values of every parameter, in the order to show and save them.
            layout: of those that are trained.
            slots: names of the optimizer's vectors, which are 0 at first.
            dtype: of the vectors.
        """
        flat = layout.pack(params, dtype)
        views = layout.views(flat)
        held = {key: views[key] if key in views else value.copy() for key, value in params.items()}
        return cls(held, {PARAMS: flat, **{name: np.zeros_like(flat) for name in slots}}, layout)

    @property
    def frozen(self) -> dict[str, Array]:
        """The parameters that are not trained."""
        trained = {segment.key for segment in self.layout.segments}
        return {key: value for key, value in self.params.items() if key not in trained}

    @property
    def for_training(self) -> dict[str, Array]:
        """What a training program is bound to."""
        return {**self.frozen, **self.arenas}

    def tensors(self) -> dict[str, Array]:
        """Views of everything there is to save, by name: `key` for a parameter, `slot/key` for its part of a slot.

        Slots are saved by key, so that an order of parameters that changes with the program cannot mix them up.
        """
        found = dict(self.params)
        for name, slot in self.arenas.items():
            if name != PARAMS:
                found |= {f"{name}/{key}": view for key, view in self.layout.views(slot).items()}
        return found

    def copy(self) -> State:
        """The same values in memory of their own."""
        arenas = {name: arena.copy() for name, arena in self.arenas.items()}
        views = self.layout.views(arenas[PARAMS])
        return State({key: views.get(key, value) for key, value in self.params.items()}, arenas, self.layout)

    def copy_from(self, other: State) -> None:
        """Take over everything a training writes from a state of the same layout."""
        for name, arena in self.arenas.items():
            np.copyto(arena, other.arenas[name])

    def drop_tiny(self) -> None:
        """Set what is tiny in the optimizer's slots to 0.

        A moment whose gradient stays 0 decays into subnormal numbers and, by rounding, never reaches 0; arithmetic on those is
        15 to 50 times slower. On MNIST (pixels that are nearly always 0) a training step takes half as long again without this.
        """
        for name, slot in self.arenas.items():
            if name == PARAMS or slot.dtype not in _TINY:
                continue
            for start in range(0, slot.size, _TILE):
                tile = slot[start : start + _TILE]
                np.multiply(tile, np.abs(tile) >= _TINY[slot.dtype], out=tile)

    def non_finite(self) -> str:
        """The key of the first trained parameter holding a NaN or an infinity, or ""."""
        flat = self.arenas[PARAMS]
        if isfinite(np.dot(flat, flat)):  # one pass; a sum that merely overflows is looked at below
            return ""
        views = self.layout.views(flat)
        return next((key for key, view in views.items() if not np.isfinite(view).all()), "")

    def assign(self, tensors: Mapping[str, Array]) -> None:
        """Overwrite the memory with tensors named as `tensors()` names them."""
        for name, memory in self.tensors().items():
            memory[...] = tensors[name]
