"""Codes about cells, the `scan` that runs them, and buffers."""

from dslc.diagnostics.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "DL1050",
        "a cell is applied without `scan`",
        """\
A cell says what one time step does. `scan` makes a layer of it, which runs along the time axis of a sequence.

    y = x |> MGU(64)          # wrong: x holds all steps

Mended:

    y = x |> scan(MGU(64))
""",
    ),
    Code(
        "DL1051",
        "`scan` runs something that is no cell",
        """\
`scan` takes a cell being made, with its hyper-parameters. A layer takes the whole tensor, so it needs no `scan`.

    y = x |> scan(Dense(64))  # wrong: Dense works on all steps at once

Mended:

    y = x |> Dense(64)
    z = x |> scan(MGU(64))
""",
    ),
    Code(
        "DL1052",
        "a statement of cells stands outside a cell",
        """\
`state` and `next` speak of the time step before and the one after. Only a `cell` has steps; a model or a block does not.

    block Sum {
      input  x: f32[B, 8]
      state  s: f32[B, 8] = zeros()     # wrong: a block has no steps
      ...

Mended: make it a cell, and run it with `scan(Sum())`.

    cell Sum {
      input  x: f32[B, 8]
      state  s: f32[B, 8] = zeros()
      output y: f32[B, 8] = s + x
      next s = y
    }
""",
    ),
    Code(
        "DL1053",
        "a state has no `next`",
        """\
Every state of a cell says what it is after the step. A state that never changes would be a parameter or a constant.

    state h: f32[B, 8] = zeros()
    y = tanh(x + h)                     # wrong: and h after this step?

Mended:

    state h: f32[B, 8] = zeros()
    y = tanh(x + h)
    next h = y
""",
    ),
    Code(
        "DL1054",
        "`next` is given twice",
        """\
A state has one value after a step.

    next h = a
    next h = b                          # wrong: which one?

Mended: give the other a name of its own, or choose between them.

    next h = where(gate > 0.5, a, b)
""",
    ),
    Code(
        "DL1055",
        "`next` of something that is no state",
        """\
`next` gives a declared `state` its value after the step. Other values are assigned.

    next h = tanh(x)                    # wrong: there is no `state h`

Mended:

    state h: f32[B, 8] = zeros()
    next h = tanh(x + h)
""",
    ),
    Code(
        "DL1056",
        "an initial value depends on what a step computes",
        """\
A state's initial value is known before the first step: it is made of numbers and parameters. Inputs, other states and
the values of a step are not known then.

    state h: f32[B, 8] = x              # wrong: x is one step of the sequence

Mended: a number, a learned parameter, or a tensor given where the cell is run.

    param h0: f32[8] = zeros()
    state h: f32[B, 8] = h0

    y = seq |> scan(Cell(), init = { h: first })
""",
    ),
    Code(
        "DL1058",
        "`init` names no state of the cell",
        """\
`init` of `scan` gives initial values to states by their names.

    y = x |> scan(MGU(64), init = { hidden: h0 })   # wrong: the state is `h`

Mended:

    y = x |> scan(MGU(64), init = { h: h0 })
""",
    ),
    Code(
        "DL1060",
        "a buffer is updated inside a cell",
        """\
A buffer changes once per step of training. A cell runs once per time step, so that an `update` in it has no meaning.
The same is so for a layer in a cell that updates buffers, such as a batch norm.

    cell C { ... update seen = seen + 1 }           # wrong

Mended: update it in the block around the `scan`.

    y = x |> scan(C())
    update seen = seen + 1
""",
    ),
    Code(
        "DL1061",
        "`update` of something that is no buffer",
        """\
`update` says what a `buffer` becomes after a step of training. Parameters are changed by the optimizer, values never.

    param m: f32[8] = zeros()
    update m = 0.9 * m + 0.1 * mean(x, axes = [0])  # wrong: m is trained

Mended:

    buffer m: f32[8] = zeros()
    update m = 0.9 * m + 0.1 * mean(x, axes = [0])
""",
    ),
    Code(
        "DL1062",
        "a buffer is updated twice",
        """\
A buffer has one value after a step of training. All reads in the body give the value before it.

    update n = n + 1
    update n = n * 2                                # wrong: one of them

Mended:

    update n = (n + 1) * 2
""",
    ),
    Code(
        "DL1063",
        "a cell has no input",
        """\
A cell runs once for every element of its input sequences. Without an input nothing says how many steps there are.

    cell Clock { state t: f32[] = zeros()
                 output y: f32[] = t
                 next t = t + 1 }                   # wrong

Mended: give it a sequence, whose values it may ignore.

    cell Clock { input x: f32[B] ... }
""",
    ),
    Code(
        "DL2080",
        "a state has another type after the step",
        """\
A state has one type: what `next` gives is what the step after it reads.

    state h: f32[B, 64] = zeros()
    next h = x @ W                      # wrong: f32[B, 32]

Mended: make sizes and element types agree; `cast(v, f32)` converts.
""",
    ),
    Code(
        "DL2081",
        "an initial value does not fit its state",
        """\
An initial value has the type of its state. A number fills it, and missing leading axes are filled, as in `b: f32[64]`
for a state f32[B, 64].

    state h: f32[B, 64] = zeros([32])   # wrong

Mended: leave the sizes out, they are the state's.

    state h: f32[B, 64] = zeros()
""",
    ),
    Code(
        "DL2082",
        "sequences of different lengths",
        """\
A cell with several inputs takes one element of each sequence per step, so that all have equally many.

    layer both = scan(Pair())
    y = both(a, b[:, 1:])               # wrong: T and T - 1 steps

Mended:

    y = both(a[:, 1:], b[:, 1:])
""",
    ),
    Code(
        "DL2083",
        "no axis for time",
        """\
`scan` takes the time axis out of its sequences and puts it into the outputs, at the same place: axis 1, unless `axis =`
says otherwise.

    y = x |> scan(MGU(64))              # wrong for x: f32[T]

Mended: say which axis it is.

    y = x |> scan(MGU(64), axis = 0)
""",
    ),
    Code(
        "DL2084",
        "a buffer's new value has another type",
        """\
A buffer has one type: what `update` gives is what the next step of training reads.

    buffer m: f32[8] = zeros()
    update m = x                        # wrong: f32[B, 8]

Mended:

    update m = mean(x, axes = [0])
""",
    ),
)
