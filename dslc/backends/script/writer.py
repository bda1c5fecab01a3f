"""A compiled training -> a Python file that trains without `dslc`: the generated source and what it stands on, nothing else.

What the file computes is what the runtime computes, to the byte, because it is the same text: programs as `to_numpy` writes
them, and the runtime's own definitions of all they call. Names of a program's parts stand in it as strings, written by `repr`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dslc.backends.script.bundle import Bundle, Name, bundle
from dslc.backends.script.literals import literal, records
from dslc.backends.script.reached import Reached, reached
from dslc_runtime.program import Program
from dslc_runtime.schedules import Stage
from dslc_runtime.state import Group

_ALWAYS: tuple[Name, ...] = (
    ("dslc_runtime.program", "Program"),
    ("dslc_runtime.state", "State"),
    ("dslc_runtime.stepping", "Objective"),
    ("dslc_runtime.stepping", "Training"),
    ("dslc_runtime.schedules", "schedule"),
    ("dslc_runtime.initializers", "initialize"),
    ("dslc_runtime.standalone", "main"),
)
_WIDTH = 120


@dataclass(frozen=True, slots=True)
class Update:
    """An objective as data: its name, its programs, its learning rate and its running mean of weights.

    Attributes:
        kept: decay and warm-up of the running mean; None where there is none.
    """

    name: str
    program: Program
    rate: Sequence[Stage]
    applied: Program | None = None
    kept: tuple[float, bool] | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """What a script is written from.

    Attributes:
        about: what the file says of itself at its top, in lines without quotes or backslashes.
        updates: the objectives, in order.
        params: how first values are made: the arguments of `initialize` but for the seed, by key.
        groups, buffers: as `State.of` takes them.
        batch: rows of a batch of the command; None: all.
        split: whether the command's steps are long enough for several threads.
    """

    about: Sequence[str]
    updates: Sequence[Update]
    params: Mapping[str, tuple[Any, ...]]
    groups: tuple[Group, ...]
    buffers: tuple[str, ...]
    seed: int
    accumulate: int
    batch: int | None
    split: bool


def write_script(script: Script) -> str:
    """The text of the file."""
    return _Writer(script).text()


@dataclass(slots=True)
class _Writer:
    script: Script
    programs: list[tuple[str, Program]] = field(default_factory=list[tuple[str, Program]])

    def text(self) -> str:
        updates = [self._update(number, update) for number, update in enumerate(self.script.updates)]
        known = {name: reached(program.source) for name, program in self.programs}
        made = bundle(self._roots(known))
        parts = [
            '"""' + "\n".join(self.script.about).replace("\\", "/").replace('"', "'") + '\n"""',
            _imports(
                {*made.imports, "import builtins", "import math", "import os", "import numpy as np"},
                [] if self.script.split else _ONE_THREAD,
            ),
            *(self._program(name, program, known[name], made) for name, program in self.programs),
            _HEADING.format("what the steps above stand on"),
            made.text,
            _HEADING.format("the training"),
            self._training([_named(update, made) for update in updates], made),
            f'if __name__ == "__main__":\n    {self._main(made)}',
        ]
        return "\n\n\n".join(parts) + "\n"

    def _roots(self, known: Mapping[str, Mapping[str, Reached]]) -> list[Name]:
        data = [[program.face, [wiring for _, wiring in program.bodies]] for _, program in self.programs]
        rates = [update.rate for update in self.script.updates]
        needs = {need for names in known.values() for found in names.values() for need in found.needs.values()}
        kept = [("dslc_runtime.averaging", "kept")] if any(update.kept for update in self.script.updates) else []
        return [*_ALWAYS, *kept, *sorted(needs), *records([data, rates, self.script.groups])]

    def _update(self, number: int, update: Update) -> list[Any]:
        program = self._add(f"step_{number}", update.program)
        applied = self._add(f"apply_{number}", update.applied) if update.applied is not None else "None"
        return [update.name, program, update.rate, applied, update.kept]

    def _add(self, name: str, program: Program) -> str:
        """Take in a program and those it runs along time; what makes it."""
        for number, (body, _) in enumerate(program.bodies):
            self._add(f"{name}_scan_{number}", body)
        self.programs.append((name, program))
        return f"{name}()"

    def _program(self, name: str, program: Program, known: Mapping[str, Reached], made: Bundle) -> str:
        """A function that makes a program, with the generated source in it."""
        texts = {short: found.text(made.called) for short, found in known.items()}
        aliases = [f"{short} = {text}" for short, text in texts.items() if short != text]
        bodies = [
            f"({name}_scan_{number}(), {literal(wiring, made.called)})"
            for number, (_, wiring) in enumerate(program.bodies)
        ]
        lines = [
            *aliases,
            "",
            *program.source.rstrip("\n").splitlines(),
            "",
            f"face = {literal(program.face, made.called)}",
            'code = {"sizes": sizes, "shapes": shapes, "memory": memory, "bind": bind}',
            f"constants = {literal(tuple(program.constants), made.called)}",
            f"bodies = ({''.join(f'{body}, ' for body in bodies).rstrip()})" if bodies else "bodies = ()",
            f"return {made.called['dslc_runtime.program', 'Program']}(face, code, constants, bodies)",
        ]
        return "\n".join([f"def {name}():", *(f"    {line}" if line else "" for line in lines)])

    def _training(self, objectives: Sequence[str], made: Bundle) -> str:
        script, called = self.script, made.called
        initialize, state = called["dslc_runtime.initializers", "initialize"], called["dslc_runtime.state", "State"]
        lines = [
            f"def training(seed={script.seed!r}, per_epoch=1):",
            '    """The training at its start; `per_epoch` is how many updates an epoch has, for rates that depend on it."""',
            "    params = {",
            *(
                f"        {key!r}: {initialize}({', '.join(literal(each, called) for each in (key, *how))}, seed),"
                for key, how in script.params.items()
            ),
            "    }",
            f"    state = {state}.of(params, {literal(script.groups, called)}, {literal(script.buffers, called)})",
            "    objectives = (",
            *(f"        {objective}," for objective in objectives),
            "    )",
            f"    return {called['dslc_runtime.stepping', 'Training']}(objectives, state, seed, {script.accumulate!r})",
        ]
        return "\n".join(lines)

    def _main(self, made: Bundle) -> str:
        """The call that runs the training as a command."""
        script, main = self.script, made.called["dslc_runtime.standalone", "main"]
        inputs = {name: spec.dtype.name for update in script.updates for name, spec in update.program.inputs.items()}
        return f"{main}(training, {literal(inputs, made.called)}, batch={script.batch!r}, accumulate={script.accumulate!r})"


def _named(update: list[Any], made: Bundle) -> str:
    name, program, rate, applied, kept = update
    called = made.called
    stages = literal(tuple(rate), called)
    share = "None" if kept is None else f"{called['dslc_runtime.averaging', 'kept']}({kept[0]!r}, {kept[1]!r})"
    schedule = f"{called['dslc_runtime.schedules', 'schedule']}({stages}, per_epoch)"
    return f"{called['dslc_runtime.stepping', 'Objective']}({name!r}, {program}, {schedule}, {applied}, {share})"


def _imports(lines: Iterable[str], between: Iterable[str]) -> str:
    """Lines that import one name each, as blocks with a line for each module: the standard library, lines between, NumPy."""
    whole = sorted(line for line in lines if line.startswith("import "))
    names: dict[str, list[str]] = {}
    for line in sorted(set(lines) - set(whole)):
        _, module, _, name = line.split(maxsplit=3)
        names.setdefault(module, []).append(name)
    parts = [f"from {module} import {', '.join(found)}" for module, found in names.items()]
    ordered = sorted([*whole, *parts], key=lambda line: line.startswith("from"))
    numpy = [line for line in ordered if line.split()[1].startswith("numpy")]
    others = [line for line in ordered if line not in numpy]
    return "\n".join(["from __future__ import annotations", "", *others, "", *between, *numpy])


# OpenBLAS, MKL and BLIS read the variable, as they are loaded, where theirs is not set.
_ONE_THREAD = (
    'if __name__ == "__main__":  # before NumPy loads it: such short steps are quickest on one thread of linear algebra',
    '    os.environ.setdefault("OMP_NUM_THREADS", "1")',
    "",
)

_HEADING = "# " + "-" * 90 + " {}"
