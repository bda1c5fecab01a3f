"""Everything that is documented, by kind, and looking names up in it."""

from __future__ import annotations

from collections.abc import Callable

from dslc.check.builtins import FIELD_FUNCTIONS, FUNCTIONS, PENALTIES, SOURCES, STARTS
from dslc.check.library import LAYERS, library_layer
from dslc.check.setting_defs import SETTINGS
from dslc.check.units import Unit, visible
from dslc.diagnostics import DslcError
from dslc.doc.entry import Entry
from dslc.doc.functions import (
    of_builtin,
    of_distribution,
    of_initializer,
    of_operator,
    of_optimizer,
    of_schedule,
    of_setting,
)
from dslc.doc.layers import of_definition
from dslc.doc.unknown import not_found, options_of, unknown
from dslc.ops import FAMILIES, OPS
from dslc.ops.initializers import INITIALIZERS
from dslc.ops.optimizers import OPTIMIZERS
from dslc.ops.random import RANDOM
from dslc.ops.schedules import SCHEDULES
from dslc.syntax import tree

#: What entries of a kind are called together, in the order they are listed. Models, blocks and cells are those of a program.
KINDS = {
    "model": "Models",
    "block": "Blocks",
    "cell": "Cells",
    "layer": "Layers",
    "function": "Functions",
    "loss": "Losses",
    "metric": "Metrics",
    "initialiser": "Initialisers",
    "optimizer": "Optimizers",
    "schedule": "Schedules",
    "penalty": "Penalties",
    "start": "Weights to start from",
    "distribution": "Distributions",
    "data source": "Data sources",
    "field function": "Functions of data fields",
    "setting": "Settings",
}

#: What a family of operators is called, where that is not its own name.
_GROUPS = {
    "math": "elementwise",
    "reduction": "reductions",
    "activation": "activations",
    "shape": "shapes",
    "creation": "new tensors",
    "random": "random numbers",
    "index": "look-up",
    "linalg": "products",
    "softmax": "along an axis",
}


def catalogue() -> tuple[Entry, ...]:
    """All entries, kind by kind."""
    found = [
        *_layers(),
        *(
            of_operator(opdef, _GROUPS.get(family, family))
            for family, ops in FAMILIES.items()
            for opdef in ops
            if opdef.call
        ),
        *(of_builtin(builtin, "function", "compile time") for builtin in FUNCTIONS.values()),
        *map(of_initializer, INITIALIZERS.values()),
        *map(of_optimizer, OPTIMIZERS.values()),
        *map(of_schedule, SCHEDULES.values()),
        *(of_builtin(penalty, "penalty") for penalty in PENALTIES.values()),
        *(of_builtin(start, "start") for start in STARTS.values()),
        *map(of_distribution, RANDOM),
        *(of_builtin(source, "data source") for source in SOURCES.values()),
        *(of_builtin(function, "field function") for function in FIELD_FUNCTIONS.values()),
        *map(of_setting, SETTINGS),
    ]
    order = list(KINDS)
    return tuple(sorted(found, key=lambda entry: order.index(entry.kind)))


def _layers() -> list[Entry]:
    found = [library_layer(name) for name in LAYERS]
    return [of_definition(made[1], "layer") for made in found if made is not None]


def find(name: str, elsewhere: Callable[[str], str] = lambda _: "") -> tuple[Entry, ...]:
    """The entries of a name or of an operator's symbol; several where it means several things, as `zeros` does.

    A dot tells them apart: `data.split` is the setting of data blocks, `csv.missing` is explained with `csv`.

    Args:
        elsewhere: what a name means outside of programs, for one that has no entry; or "".

    Raises:
        DslcError: nothing has that name (DL6040).
    """
    entries = catalogue()
    spelled = [opdef.name for opdef in OPS.values() if opdef.call and opdef.symbol == name]
    found = tuple(entry for entry in entries if entry.name == name or entry.name in spelled)
    found = found or _dotted(name, entries)
    if found:
        return found
    raise DslcError([not_found(name, entries, elsewhere(name))])


def _dotted(name: str, entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The entries of `BLOCK.SETTING`, with names between as in `--set`, or of `NAME.OPTION`."""
    owner, _, last = name.rpartition(".")
    settings = {setting.name for setting in SETTINGS if owner.partition(".")[0] in setting.blocks}
    found = tuple(entry for entry in entries if entry.kind == "setting" and entry.name == last and last in settings)
    return found or tuple(entry for entry in entries if entry.name == owner and last in options_of(entry))


def declared(file: tree.File) -> tuple[Entry, ...]:
    """The entries of a program's models, blocks and cells."""
    found = [of_definition(decl) for decl in file.decls if isinstance(decl, tree.Definition)]
    return tuple(sorted(found, key=lambda entry: list(KINDS).index(entry.kind)))


def find_declared(unit: Unit, name: str) -> tuple[Entry, ...]:
    """The entry of a model, block or cell that a program declares or imports.

    Raises:
        DslcError: there is none of that name (DL6040).
    """
    known = {item.name: item.decl for item in visible(unit) if isinstance(item.decl, tree.Definition)}
    if name not in known:
        text = f"there is no model, block or cell `{name}` in `{unit.source.name}`"
        raise DslcError([unknown(text, name, list(known))])
    return (of_definition(known[name]),)
