"""One documented thing, and how its prose is taken apart. Prints nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import dedent

from dslc.ops.opdef import Option
from dslc.record import record
from dslc.tensor_type import DType

_LABELLED = re.compile(r"(?<=[.)`]) (?=(?:Gradient|Source|PyTorch): )")
_SENTENCE_END = re.compile(r"\.\s+(?=[A-Z0-9`])")
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "a string",
    "axis": "an axis; negative ones count from the end",
    "axes": "an axis, a list of axes, or none for all",
    "sizes": "a list of sizes",
    "counts": "a whole number, or one for each axis",
    "padding": 'a number, a list of numbers, "same" or "valid"',
    "dtype": "an element type, such as f32",
    "length": "a length of time: `200 steps`, `3 epochs`",
    "epochs": "a number of epochs: `3 epochs`",
}


@record
class Choice:
    """One option: `axis = -1`, and what may be written there. `default` is "" where it must be given."""

    name: str
    default: str
    takes: str


@record
class Entry:
    """What is known of one name.

    Attributes:
        name: as a program writes it.
        kind: a key of `catalogue.KINDS`.
        group: the family it belongs to inside its kind, or "".
        signature: how it is written: "softmax(x, axis = -1)".
        doc: its prose, the first sentence being its summary.
        options: what may be given by keyword.
        facts: further lines, each a title and a text: an operator's symbol, a layer's inputs and parameters.
        example: statements that use it, legal in the frame of its kind.
    """

    name: str
    kind: str
    group: str
    signature: str
    doc: str
    options: tuple[Choice, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    example: str = ""

    @property
    def summary(self) -> str:
        """The first sentence."""
        first, _ = paragraphs(self.doc)[0]
        return f"{_SENTENCE_END.split(first, 1)[0].removesuffix('.')}."


def paragraphs(doc: str) -> list[tuple[str, bool]]:
    """Prose as paragraphs without line ends, and lines to be shown as they are (equations: true), which stand indented."""
    first, _, rest = doc.strip().partition("\n")
    lines = [first, *dedent(rest).split("\n")]
    found: list[tuple[str, bool]] = []
    for line in lines:
        verbatim = line.startswith("  ")
        text = line.rstrip().replace("``", "`")
        if not text:
            found.append(("", False))
        elif found and found[-1][0] and found[-1][1] == verbatim:
            glue = "\n" if verbatim else " "
            found[-1] = (f"{found[-1][0]}{glue}{text}", verbatim)
        else:
            found.append((text, verbatim))
    return [
        (part, verbatim)
        for text, verbatim in found
        if text
        for part in ([dedent(text)] if verbatim else _LABELLED.split(text))
    ]


def choice(option: Option) -> Choice:
    """An option as it is told to a reader."""
    takes = _one_of(option.choices) if option.choices else _WORDS[option.kind]
    if option.alias:
        takes = f"{takes}; `{option.alias}` means the same"
    return Choice(option.name, "" if option.required else default_text(option), takes)


def _one_of(words: Sequence[str]) -> str:
    *others, last = (f'"{word}"' for word in words)
    return f"{', '.join(others)} or {last}"


def default_text(option: Option) -> str:
    """The default of an option as a program would write it."""
    match option.default:
        case None:
            return "none"
        case bool(truth):
            return str(truth).lower()
        case DType() as dtype:
            return dtype.value
        case str(text):
            return f'"{text}"'
        case tuple(items):
            return f"[{', '.join(map(str, items))}]"
        case number:
            return f"{number:g}".replace("e-0", "e-") + " epochs" * (option.kind == "epochs")


def written(option: Option) -> str:
    """An option in a signature: "axis = -1", or its name alone where it must be given."""
    return option.name if option.required else f"{option.name} = {default_text(option)}"
