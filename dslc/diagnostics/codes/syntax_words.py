"""Codes about single words: characters, strings, numbers, brackets, reserved words."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "DL0002",
        "a string without its closing quote",
        """\
A string ends on the line it begins on.

    expect error "DL2007                # wrong

    source = npz("digits.npz")

A line end inside a string is written `\\n`, a double quote `\\"`.
""",
    ),
    Code(
        "DL0003",
        "a character that is not part of the language",
        """\
Outside strings and comments a program is written in ASCII: letters, digits, `_` and the operators' signs.
Characters that only look like these (full-width brackets, typographic minus signs, no-break spaces) come from
text editors and web pages.

    y = relu（x）                       # wrong: full-width brackets

    y = relu(x)

Names use a-z, A-Z, 0-9 and `_`; comments and strings may hold anything.
""",
    ),
    Code(
        "DL0004",
        "an escape that does not exist",
        """\
In a string a backslash begins an escape: `\\n` (line end), `\\t` (tab), `\\r`, `\\"`, `\\\\` (a backslash) and
`\\u` with four hex digits.

    source = npz("data\\digits.npz")     # wrong: `\\d` is no escape

    source = npz("data/digits.npz")     # `/` works on every system
    source = npz("data\\\\digits.npz")
""",
    ),
    Code(
        "DL0005",
        "not a number",
        """\
Numbers are decimal: `1`, `1_000`, `0.5`, `1e-3`. Digits stand on both sides of the point, one `_` at a time
stands between digits, whole numbers do not begin with 0, and a unit stands apart (`200 steps`).

    batch = 064                         # wrong
    lr    = 1.                          # wrong

    batch = 64
    lr    = 1.0
""",
    ),
    Code(
        "DL0006",
        "an opening bracket that is never closed",
        """\
Every `(`, `[` and `{` needs its closing partner. The message points at the opener; where indentation tells
which block was left open, at that one.

    h = relu(x @ w                      # wrong
    y = h + b

    h = relu(x @ w)
    y = h + b
""",
    ),
    Code(
        "DL0007",
        "a closing bracket without its opener",
        """\
A closing bracket closes the last opener that is still open, and must be its partner.

    x = a[(0, 1]                        # wrong: `(` is still open
    y = f(a))                           # wrong: one `)` too many

    x = a[0, 1]
    y = f(a)
""",
    ),
    Code(
        "DL0008",
        "another kind of quotes",
        """\
Strings are written in double quotes, on one line. A description that belongs to a declaration is a doc comment
above it.

    source = npz('digits.npz')          # wrong
    source = npz("digits.npz")

    ## What the model is for.
    model Net { ... }
""",
    ),
    Code(
        "DL0009",
        "another language's spelling",
        """\
Some words and signs are spelled as Python or C spell them. Here it is `and`, `or`, `not`, `true`, `false`,
`none`, `else if`, `#` for comments, `==` and `!=`.

    if bias && True { ... }             # wrong

    if bias and true { ... }
""",
    ),
    Code(
        "DL0016",
        "a reserved word as a new name",
        """\
Words such as `if`, `then`, `and`, `true` and `as` have a meaning wherever a value can stand, so nothing new can
be called so. They are free as labels, as keys of records and as keyword arguments, and after a point.

    let then = 3                        # wrong

    let after = 3
""",
    ),
)
