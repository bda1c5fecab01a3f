"""Codes of the family `syntax`: what a text may look like, and limits on it."""

from dslc.diagnostics.codes import syntax_forms, syntax_words
from dslc.diagnostics.codes.entry import Code

_LIMITS = (
    Code(
        "DL0030",
        "nested too deep",
        """\
Brackets may be nested 64 deep, and an expression may be 200 operators, calls or `if`s deep. A long sum is as
deep as it has terms.

    y = a1 + a2 + a3 + ...              # wrong, with hundreds of terms

    first  = a1 + a2 + ...
    second = b1 + b2 + ...
    y = first + second
""",
    ),
    Code(
        "DL0031",
        "a file that is too long",
        """\
A source file may have one million characters, 150,000 words and signs, and 100,000 characters on a line. Data
belongs in a data file (`npz`, `csv`) that the program names, not in the program.

    source = inline({ x: [ ... a million numbers ... ] })       # wrong

    source = npz("x.npz")
""",
    ),
    Code(
        "DL0032",
        "a literal that is too long",
        """\
A name may have 200 characters, a number 100, a string 20,000. What is longer was not written by hand and
belongs in a data file.

    let pi = 3.14159...                 # wrong, with a thousand digits

    let pi = 3.141592653589793
""",
    ),
    Code(
        "DL0033",
        "a list that is too long",
        """\
A list, a record, a call or a pipe may have 10,000 parts. Longer lists belong in a data file that the program
names.

    source = inline({ x: [0, 1, ... ] })                        # wrong, with 20,000 rows

    source = npz("x.npz")
""",
    ),
    Code(
        "DL0034",
        "too many mistakes",
        """\
After 20 mistakes in the form of a text the rest of it is not read: more would not help. A file that is not a
program at all (a table, a web page, a binary file) ends here too.

    1, 2, 3                             # wrong: the lines of a table
    4, 5, 6

Mend the first ones and check again.
""",
    ),
)

CODES: tuple[Code, ...] = tuple(
    sorted((*syntax_forms.CODES, *syntax_words.CODES, *_LIMITS), key=lambda entry: entry.code)
)
