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
)
