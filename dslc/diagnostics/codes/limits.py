"""Codes of limits that keep the checker's work in proportion to the program. DL0070 to DL0079."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "DL0070",
        "too many mistakes to show",
        """
After 50 mistakes no more are looked for: those that follow often come from the same few causes, such as a name that was
changed in one place only.

    h = relu(x_in)                      # wrong, sixty times over, where the input is called `x`

    input x_in: f32[B, 8]               # mends all of them

Mend the first ones and check again.
""",
    ),
    Code(
        "DL0071",
        "unrolled too far",
        """
`repeat` and blocks are unrolled when a program is checked: each turn and each call is worked out for its own sizes. All of
them together may hold 60_000 expressions in one model, a network of thousands of layers. A number with some zeros too many,
or blocks that use one another twice, level upon level, go beyond.

    h = x |> stack: repeat(1_000_000) { fc: Dense(64) |> relu }      # wrong

    h = x |> stack: repeat(100) { fc: Dense(64) |> relu }

Steps in time are no `repeat`: a cell under `scan` takes any number of them.
""",
    ),
    Code(
        "DL0072",
        "a size that is too long",
        """
A size is a sum of at most 50 terms, each a product of at most 64 sizes; a `floor_div` that cannot be worked out mentions at
most 500. What is longer cannot be compared with another size in good time, and no layer needs it.

    dim B, C, D
    let n = (B + C + D) ** 20           # wrong: a sum of 231 terms

    dim N                               # a size of its own, bound when a batch arrives
""",
    ),
    Code(
        "DL0073",
        "a tensor with too many axes",
        """
A tensor has at most 32 axes. NumPy ends at 64, and so many are a mistake: a size for each sample, perhaps, where one axis
for all was meant.

    input x: f32[B, 1, 1, 1, ... ]      # wrong, with forty sizes

    input x: f32[B, 40]
""",
    ),
)
