"""Graphs in few words: what the tests of rules are written in."""

from __future__ import annotations

LEAVES = {
    "x": "f32[B, 4] = input(name='x')",
    "y": "f32[B, 4] = input(name='y')",
    "v": "f32[4] = input(name='v')",
    "s": "f32[] = input(name='s')",
    "t": "f32[] = input(name='t')",
    "d": "f64[B, 4] = input(name='d')",
    "i": "i32[B, 4] = input(name='i')",
}


def graph_text(body: str) -> str:
    """A graph from the short form of these tests: statements ``name: type = op(operands)``, the last of them the result.

    Names of `LEAVES` are inputs; ``#2.0`` is a constant of f32, ``#i2`` of i32, ``#b1`` of bool.
    """
    lines: list[str] = []
    known: dict[str, int] = {}

    def add(name: str, text: str) -> str:
        if name not in known:
            known[name] = len(lines)
            lines.append(f"%{known[name]}: {text}")
        return f"%{known[name]}"

    def operand(word: str) -> str:
        if word in LEAVES:
            return add(word, LEAVES[word])
        if word.startswith("#i"):
            return add(word, f"i32[] = constant(value={word[2:]})")
        if word.startswith("#b"):
            return add(word, f"bool[] = constant(value={bool(int(word[2:]))})")
        if word.startswith("#"):
            return add(word, f"f32[] = constant(value={word[1:]})")
        return f"%{known[word]}" if word in known else word

    last = ""
    for statement in body.strip().split("\n"):
        name, rest = statement.strip().split(": ", 1)
        head, arguments = rest.split("(", 1)
        words = [operand(word) for word in arguments.removesuffix(")").split("; ") if word]
        last = add(name, f"{head}({', '.join(words)})")
    return "\n".join([*lines, f"output 'result' = {last}", ""])
