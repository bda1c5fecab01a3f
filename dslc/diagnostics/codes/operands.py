"""Codes about the operands of blocks and recurrent layers: inputs that may be left out, lengths of sequences."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "DL2150",
        "the default of an input is not `none`",
        """\
An input of a block that has the default `none` may be left out. What stands for it then is chosen in the body, where
`if scale == none` is decided while the program is compiled.

    block Scaled {
      input  x: f32[B, 8]
      input  scale: f32[B] = 1          # wrong
      output y: f32[B, 8] = x * scale[:, none]
    }

Mended:

      input  scale: f32[B] = none
      output y: f32[B, 8] = if scale == none then x else x * scale[:, none]
""",
    ),
    Code(
        "DL2151",
        "an input of a model or a cell has a default",
        """\
Whoever feeds a model gives all of its inputs, and every step of a cell has an element of each sequence. An input that may be
left out belongs to a block.

    model Net {
      input  mask: f32[B, T] = none     # wrong

Mended: take the default out, or make two models.

    model Net {
      input  mask: f32[B, T]
""",
    ),
    Code(
        "DL2152",
        "a size is used that only an input left out would bind",
        """\
A dimension of a block is bound by the inputs that name it. Where the only such input is left out, nothing says what it is.

    block Attend(units: int) {
      dim T, S, D
      input  x: f32[B, T, D]
      input  memory: f32[B, S, D] = none
      output y: f32[B, T, units]
      known = S                         # wrong where `memory` is left out

Mended: use it in the branch where the input is there.

      known = if memory == none then T else S
""",
    ),
    Code(
        "DL2153",
        "lengths that are not one whole number for each sample",
        """\
`lengths` says how many steps of each sample of a batch are real: i32[B] or i64[B] beside sequences of a batch B.

    input  x: f32[B, T, 12]
    input  mask: f32[B, T]
    y = x |> scan(GRUCell(64), lengths = mask)       # wrong: 1 for a real step, 0 for padding

Mended:

    input  lengths: i64[B]
    y = x |> scan(GRUCell(64), lengths = lengths)
""",
    ),
    Code(
        "DL2154",
        "lengths for a cell whose states or outputs do not belong to samples",
        """\
Where a sample has no more steps its states stay and its outputs are 0, so each state and each output of the cell has the
batch as its first axis.

    cell Count() {
      input  x: f32[B, 8]
      state  n: f32[] = zeros()                      # wrong with `lengths`: one for all samples
      output y: f32[B, 8] = x * n
      next n = n + 1
    }

Mended:

      state  n: f32[B, 1] = zeros()
""",
    ),
)
