"""Random numbers by name: (seed, stream, step) -> the same bits, in whatever order things run.

A stream is one call site of a random operator (`net.drop1/y/0`). Its 128-bit Philox key is a BLAKE2b hash of the seed and
the name; the highest word of the 256-bit counter is the step, so each step has 2**192 blocks of its own. Resuming at step k
gives the bytes that running through would have given, and one stream never shifts another.

Philox4x64-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Draw: TypeAlias = Callable[[int], None]

_LEVELS = 1 << 16  # a Bernoulli draw compares 16 random bits with a threshold
_BLOCK_BITS = 256  # that a counter gives


@dataclass(frozen=True, slots=True)
class DrawSpec:
    """A random tensor a program needs before each run.

    Attributes:
        dist: "uniform" (options low, high), "normal" (mean, std) or "bernoulli" (p, value).
        stream: the name of the call site.
        options: the distribution's numbers.
    """

    dist: str
    stream: str
    options: Mapping[str, float]


def stream_key(seed: int, *parts: str) -> int:
    """A 128-bit key for a seed and a path of names; parts are delimited, so ("a", "bc") and ("ab", "c") differ."""
    digest = blake2b(digest_size=16, person=b"dslc stream")
    digest.update(str(seed).encode())
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(b"\0%d\0" % len(raw) + raw)
    return int.from_bytes(digest.digest(), "little")


def generator(seed: int, *parts: str, step: int = 0) -> np.random.Generator:
    """A generator at the start of the stream's `step`."""
    return np.random.Generator(np.random.Philox(key=stream_key(seed, *parts), counter=step << 192))


def fill(spec: DrawSpec, seed: int, step: int, out: Array) -> None:
    """Write the draw of one step into `out`. To draw the same tensor at many steps use `drawing`."""
    drawing(spec, seed, out)(step)


def can_begin_inside(spec: DrawSpec) -> bool:
    """Whether a draw can begin at any of its elements: each takes the same number of random bits then, as normal ones do not."""
    return spec.dist != "normal"


def drawing(spec: DrawSpec, seed: int, out: Array, first: int = 0) -> Draw:
    """A function of the step that writes that step's draw into `out`.

    It keeps its bit generator and scratch memory: placing a generator at a step costs 2 us, making one 15 us.

    - uniform: ``low + (high - low) * u``, `u` in [0, 1); the sum may round to `high` itself.
    - normal: ``mean + std * z``.
    - bernoulli: `value` with probability p, else 0, where p is rounded to a multiple of 1/65536
      (16 raw bits an element: a third of the time of a float draw).

    `out` may be of any float type; a Bernoulli draw also of integers and bool. f16 is drawn as f32 and rounded.

    Args:
        first: the number of the first element of `out` in a draw that it is a part of, if that `can_begin_inside`.
    """
    if first and not can_begin_inside(spec):
        raise ValueError(f"a draw from a {spec.dist} distribution begins at its first element")
    options = {name: float(value) for name, value in spec.options.items()}
    if spec.dist == "bernoulli":
        return _bernoulli(stream_key(seed, spec.stream), options["p"], options["value"], out, first)
    if spec.dist == "uniform":
        scale, shift = options["high"] - options["low"], options["low"]
        return _continuous(stream_key(seed, spec.stream), "uniform", scale, shift, out, first)
    if spec.dist == "normal":
        return _continuous(stream_key(seed, spec.stream), "normal", options["std"], options["mean"], out, first)
    raise ValueError(f"there is no distribution {spec.dist!r}")


def permutation(n: int, seed: int, *parts: str, step: int = 0) -> npt.NDArray[np.int64]:
    """A permutation of ``range(n)`` from a stream: the order of n random 64-bit words, so NumPy's version does not matter."""
    words = np.random.Philox(key=stream_key(seed, *parts), counter=step << 192).random_raw(n)
    return np.argsort(np.asarray(words), kind="stable")


class _Placed:
    """A Philox generator that can be placed at a block of a step's numbers."""

    __slots__ = ("_counter", "_state", "bits")

    def __init__(self, key: int, block: int) -> None:
        self.bits = np.random.Philox(key=key, counter=block)
        self._state: Any = self.bits.state
        self._counter: npt.NDArray[np.uint64] = self._state["state"]["counter"]

    def at(self, step: int) -> None:
        self._counter[3] = step
        self.bits.state = self._state


def _bernoulli(key: int, p: float, value: float, out: Array, first: int) -> Draw:
    if not out.flags.c_contiguous:
        return _through_copy(_bernoulli, key, p, value, out, first)
    threshold = round(min(max(p, 0.0), 1.0) * _LEVELS)
    flat = out.reshape(-1)
    one = out.dtype.type(value)
    if threshold in (0, _LEVELS):
        return _always(flat, one if threshold else out.dtype.type(0))
    block, lead = divmod(first, _BLOCK_BITS // 16)
    placed, size = _Placed(key, block), flat.size
    count = -(-(lead + size) // 4)  # words of four elements each
    keep = np.empty(size, np.bool_)
    limit, less, multiply, u16 = np.uint16(threshold), np.less, np.multiply, np.uint16

    def draw(step: int) -> None:
        placed.at(step)
        raw: Array = np.asarray(placed.bits.random_raw(count))
        less(raw.view(u16)[lead : lead + size], limit, out=keep)
        multiply(keep, one, out=flat)

    return draw


def _always(flat: Array, value: Any) -> Draw:
    def draw(step: int) -> None:
        del step  # every step draws the same
        flat.fill(value)

    return draw


def _continuous(key: int, kind: str, scale: float, shift: float, out: Array, first: int) -> Draw:
    if out.dtype.char not in "fd" or not out.flags.c_contiguous:
        return _through_copy(_continuous, key, kind, scale, shift, out, first)
    block, lead = divmod(first, _BLOCK_BITS // (8 * out.itemsize))
    placed = _Placed(key, block)
    source = np.random.Generator(placed.bits)
    dtype = out.dtype.type
    sample: Callable[..., object] = source.random if kind == "uniform" else source.standard_normal

    def draw(step: int) -> None:
        placed.at(step)
        if lead:
            sample(lead, dtype=dtype)
        sample(dtype=dtype, out=out)
        if scale != 1.0:
            np.multiply(out, scale, out=out)
        if shift != 0.0:
            np.add(out, shift, out=out)

    return draw


def _through_copy(make: Callable[..., Draw], *args: Any) -> Draw:
    """Draw into contiguous memory of a type the generator knows, then convert."""
    *numbers, out, first = args
    dtype = np.float32 if out.dtype == np.float16 and make is _continuous else out.dtype
    aside = np.empty(out.shape, dtype)
    inner = make(*numbers, aside, first)

    def draw(step: int) -> None:
        inner(step)
        out[...] = aside

    return draw
