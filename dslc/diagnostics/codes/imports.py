"""Codes of imports. DL1080 to DL1085; the lint of an import that nothing uses is DL4080."""

from dslc.diagnostics.codes.entry import Code, Severity

CODES: tuple[Code, ...] = (
    Code(
        "DL1080",
        "a program that is no file imports one",
        """\
The path of an import is relative to the file it stands in. A text given to `dslc.parse` stands in none.

    dslc.parse('from "nets.dl" import MLP')

Mended: save the program beside `nets.dl`, and read it:

    dslc.load("program.dl")
""",
    ),
    Code(
        "DL1081",
        "files import each other in a circle",
        """\
A file is read before those that import it, so two files cannot import each other, not even through others.

    from "b.dl" import B                     # in a.dl
    from "a.dl" import A                     # in b.dl

Mended: move what both need into a third file, and import that.
""",
    ),
    Code(
        "DL1082",
        "a file cannot be imported",
        """\
There is no file of this name, or it is not a program: a folder, a file of another kind, bytes that are not UTF-8 text. The
path is relative to the file the import stands in.

    from "net.dl" import MLP                 # the file is nets.dl

Mended:

    from "nets.dl" import MLP
""",
    ),
    Code(
        "DL1083",
        "an imported file lies outside the program's folder",
        """\
A program reads files in its own folder and the folders inside it, so that running somebody's program reads nothing else.
Symbolic links are followed before this is decided. Other folders are allowed by name:

    from "../shared/nets.dl" import MLP

Mended:

    dslc check program.dl --allow-import ../shared
""",
    ),
    Code(
        "DL1084",
        "a file has nothing of this name to import",
        """\
Models, blocks, cells, data and train blocks can be imported by name, from the file that declares them. Dimensions are
declared in each file that uses them: those of one name are the same size.

    from "nets.dl" import MPL                # it declares MLP

Mended:

    from "nets.dl" import MLP
""",
    ),
    Code(
        "DL1085",
        "too many files import one another in a row",
        """\
At most 32 files may follow one another by imports. A longer chain is a mistake of a tool that wrote it.

    from "level_33.dl" import Block          # in level_32.dl, which level_31.dl imports, and so on

Mended: import from the file that declares the block.
""",
    ),
    Code(
        "DL4080",
        "an import is never used",
        """\
Nothing in the file mentions the name. The file it comes from is still read and checked.

    from "nets.dl" import MLP, Decoder       # nothing uses `Decoder`

Mended:

    from "nets.dl" import MLP
""",
        Severity.WARNING,
        "unused-import",
    ),
)
