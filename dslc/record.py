"""`@record`: a slotted class with named fields, as `@dataclass(slots=True)` makes it, at a tenth of the cost.

A dataclass compiles five functions when its class is made, about a millisecond for each class; a program that starts for
a tenth of a second cannot afford a hundred of them. Here classes with as many fields share their compiled functions, in
which only the names differ. There is no inheritance of fields.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import CodeType, FunctionType
from typing import Any, TypeVar, dataclass_transform, overload

T = TypeVar("T")


class Fresh:
    """The default of a field that is made anew for each record."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


def field(*, factory: Callable[[], T]) -> T:
    """A default that is made anew for each record: ``names: list[str] = field(factory=list[str])``."""
    made: Any = Fresh(factory)
    return made


@overload
def record(cls: type[T]) -> type[T]: ...
@overload
def record(*, eq: bool = True, frozen: bool = True, keep_hash: bool = False) -> Callable[[type[T]], type[T]]: ...


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T] | None = None, *, eq: bool = True, frozen: bool = True, keep_hash: bool = False) -> Any:
    """Make a class with annotated fields slotted, with `__init__`, `__repr__`, `__eq__` and `__hash__`.

    Args:
        eq: compare by type and fields; else by identity.
        frozen: refuse assignments; without it a record that compares by fields has no hash.
        keep_hash: work the hash out once: for what is hashed again and again.
    """

    def decorate(own: type[T]) -> type[T]:
        return _make(own, eq, frozen, keep_hash)

    return decorate if cls is None else decorate(cls)


def replace(node: T, **changes: Any) -> T:
    """The record with some fields changed."""
    fields = {name: getattr(node, name) for name in type(node).__dict__["__match_args__"]}
    return type(node)(**(fields | changes))


def _make(cls: type[Any], eq: bool, frozen: bool, keep_hash: bool) -> type[Any]:
    names = tuple(cls.__annotations__)  # its own: no record has a parent with fields
    values = _reader(names)
    defaults = [cls.__dict__[name] for name in names if name in cls.__dict__]
    slots = (*names, "_hash") if keep_hash else names
    body: dict[str, Any] = {"__slots__": slots, "__match_args__": names, "__repr__": _repr}
    if eq:
        hashing = _hashing_once if keep_hash else _hashing
        body |= {"__eq__": _equality(values), "__hash__": hashing(values) if frozen else None}
    if frozen:
        body |= {"__setattr__": _refuse, "__delattr__": _refuse, "__setstate__": _restore}
    body |= {key: own for key, own in cls.__dict__.items() if key not in ("__dict__", "__weakref__", *names)}
    body["__qualname__"] = cls.__qualname__
    made: Any = type(cls.__name__, cls.__bases__, body)
    made.__init__ = _initializer(made, names, defaults)
    return made


def _initializer(made: type[Any], names: tuple[str, ...], defaults: list[Any]) -> Callable[..., None]:
    """`__init__` of a class whose last fields have the defaults."""
    first = len(names) - len(defaults)
    late = tuple(at >= first and isinstance(defaults[at - first], Fresh) for at in range(len(names)))
    scope: dict[str, Any] = {f"put{at}": made.__dict__[name].__set__ for at, name in enumerate(names)}
    scope |= {f"fresh{at}": defaults[at - first] for at in range(len(names)) if late[at]}
    code = _initializer_code(late).replace(co_varnames=("self", *names), co_qualname=f"{made.__qualname__}.__init__")
    return FunctionType(code, scope, "__init__", tuple(defaults))


@cache
def _initializer_code(late: tuple[bool, ...]) -> CodeType:
    """The code that fills as many fields as `late` is long, of which the true ones may have to be made first.

    Slots are set by their descriptors, because a frozen record refuses assignments.
    """
    lines = [f"def __init__(self, {', '.join(f'field{at}' for at in range(len(late)))}):", "    pass"]
    for at, is_late in enumerate(late):
        value = f"fresh{at}.make() if field{at} is fresh{at} else field{at}" if is_late else f"field{at}"
        lines.append(f"    put{at}(self, {value})")
    return _compiled("\n".join(lines), "__init__")


def _reader(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """The function that gives all fields, to compare and to hash them."""
    return FunctionType(_reader_code(len(names)).replace(co_names=names), {}, "fields")


@cache
def _reader_code(count: int) -> CodeType:
    values = "".join(f"self.field{at}, " for at in range(count))
    return _compiled(f"def fields(self): return ({values})", "fields")


def _compiled(text: str, name: str) -> CodeType:
    scope: dict[str, Any] = {}
    exec(text, scope)
    return scope[name].__code__


def _repr(self: Any) -> str:
    return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__match_args__)})"


def _equality(values: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any, object], Any]:
    def __eq__(self: Any, other: object) -> Any:  # noqa: N807
        if self is other:
            return True
        return values(self) == values(other) if type(other) is type(self) else NotImplemented

    return __eq__


def _hashing(values: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any], int]:
    def __hash__(self: Any) -> int:  # noqa: N807
        return hash(values(self))

    return __hash__


def _hashing_once(values: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any], int]:
    def __hash__(self: Any) -> int:  # noqa: N807
        try:
            return self._hash
        except AttributeError:
            found = hash(values(self))
            object.__setattr__(self, "_hash", found)
            return found

    return __hash__


def _refuse(self: Any, name: str, *_: Any) -> None:
    raise AttributeError(f"{type(self).__name__}.{name} cannot be changed: records are frozen")


def _restore(self: Any, state: tuple[None, dict[str, Any]]) -> None:
    """Fill a copy, as `copy` and `pickle` make it. Another process has other hashes."""
    for name in self.__match_args__:
        object.__setattr__(self, name, state[1][name])
