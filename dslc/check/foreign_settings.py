"""Settings that other libraries have, and things written as settings that are said otherwise: name -> the mend. Pure look-up."""

from __future__ import annotations

from collections.abc import Callable, Collection

from dslc.diagnostics import Edit, Help
from dslc.record import record
from dslc.source import Span
from dslc.syntax import tree


@record
class _Line:
    """A line `target = value` of a block that sets the names `given`."""

    target: tree.Ident
    value: tree.Expr
    given: Collection[str]

    @property
    def span(self) -> Span:
        return self.target.span.to(self.value.span)

    def number(self, usual: str) -> str:
        """The number that was given, or a usual one where it is none."""
        return self.value.span.text if isinstance(self.value, tree.Number) else usual


_Mend = Callable[[_Line], Help]


def setting_meant(block: str, target: tree.Ident, value: tree.Expr, given: Collection[str]) -> Help | None:
    """How a block says what is meant by a setting that it does not have; None where nothing here has that meaning.

    Args:
        block: "data", "train", "step" or "test".
        given: the names that the block sets.
    """
    name = target.text.lower().replace("_", "")
    rule = next((rule for names, blocks, rule in _RULES if name in names.split() and block in blocks), None)
    return rule(_Line(target, value, given)) if rule is not None else None


def _fixed(text: str, code: str) -> _Mend:
    return lambda _: Help(text, code=(code,))


def _renamed(name: str) -> _Mend:
    def mend(line: _Line) -> Help:
        free = name not in line.given
        return Help(f"it is called `{name}` here{':' * free}", (Edit(line.target.span, name),) if free else ())

    return mend


def _early_stop(line: _Line) -> Help:
    whole = isinstance(line.value, tree.Number) and isinstance(line.value.value, int) and line.value.value > 0
    epochs = line.value.span.text if whole else "3"
    text = "a training ends early by a line beside the settings of the train block:"
    return Help(text, code=(f'early_stop(on = "val.loss", patience = {epochs} epochs)',))


def _penalty(line: _Line) -> Help:
    name = "l1" if line.target.text.lower().startswith("l1") else "l2"
    return Help(
        "a penalty is a term of the loss:", code=(f'loss = ... + {name}({line.number("1e-4")}, on = "*.weight")',)
    )


def _decay(line: _Line) -> Help:
    decay = line.number("0.01")
    text = f'it is an option of the optimizer, or a term `l2({decay}, on = "*.weight")` of the loss:'
    return Help(text, code=(f"optimizer = adamw(weight_decay = {decay})",))


def _rate(line: _Line) -> Help:
    code = f"optimizer = adam(lr = {line.number('1e-3')})"
    if "optimizer" in line.given or not isinstance(line.value, tree.Number):
        return Help(_OPTION, code=(code,))
    return Help(_OPTION, (Edit(line.span, code),))


def _momentum(line: _Line) -> Help:
    return Help(_OPTION, code=(f"optimizer = sgd(momentum = {line.number('0.9')})",))


def _share(line: _Line) -> Help:
    part = "test" if "test" in line.target.text.lower() else "val"
    code = f"split = {{ {part}: {line.number('0.1')} }}"
    return Help("shares of the data are a setting of the data block:", code=(code,))


def _command(line: _Line) -> Help:
    text = "a program does not say where it runs: training is NumPy's, and commands that compute take it as an option:"
    return Help(text, code=(f"dslc predict ... --{line.target.text.lower()} ...",))


def _update(line: _Line) -> Help:
    listed = line.value.items if isinstance(line.value, tree.List) else (line.value,)
    if not listed or not all(isinstance(item, tree.Name) for item in listed):
        return Help("name the models that learn:", code=("update net",))
    models = ", ".join(item.span.text for item in listed)
    return Help("it is a statement, without `=`:", (Edit(line.span, f"update {models}"),))


_OPTION = "it is an option of the optimizer:"
_SCHEDULE = _fixed("a schedule is the rate of an optimizer:", "optimizer = adam(lr = 1e-3 |> cosine(20 epochs))")
_PLATEAU = _fixed(
    "a rate that follows a score is a schedule of the optimizer:", 'optimizer = adam(lr = 1e-3 |> plateau("val.loss"))'
)
_WEIGHTS = _fixed("a model says what it starts from:", 'use net = Net(init = weights("runs/a"))')
_NESTEROV = _fixed(_OPTION, "optimizer = sgd(momentum = 0.9, nesterov = true)")
_SHUFFLE = _fixed(
    "every epoch shuffles, by the `seed` of the train block; the seed of the split is a setting of the data block:",
    "shuffle_seed = 0",
)
#: Names without `_`, the blocks in which they are meant, and the mend.
_RULES: tuple[tuple[str, str, _Mend], ...] = (
    ("update updates", "step", _update),
    ("earlystop earlystopping patience", "train step", _early_stop),
    ("l1 l2 l1reg l2reg regularizer regularization penalty", "train step", _penalty),
    ("weightdecay decay wd", "train step", _decay),
    ("lr learningrate stepsize", "train step", _rate),
    ("momentum", "train step", _momentum),
    ("reducelronplateau reducelr lrpatience lrplateau", "train step", _PLATEAU),
    ("pretrained pretrainedweights initweights initialweights loadweights weights checkpoint startfrom resumefrom",
     "train step", _WEIGHTS),
    ("nesterov", "train step", _NESTEROV),
    ("scheduler schedule lrscheduler lrschedule warmup warmupsteps", "train step", _SCHEDULE),
    ("clipgrad clipgradnorm clipgradient clipgradients clipping gradclip", "train step", _renamed("clip_norm")),
    ("gradclipnorm gradclipping gradientclip gradientclipval gradientclipping maxgradnorm", "train step",
     _renamed("clip_norm")),
    ("clipgradvalue gradclipvalue", "train step", _renamed("clip_value")),
    ("batchsize minibatch bs", "train", _renamed("batch")),
    ("accumulation accumulationsteps accumulategradbatches gradaccum", "train", _renamed("accumulate")),
    ("gradaccumsteps gradientaccumulation gradientaccumulationsteps", "train", _renamed("accumulate")),
    ("useema emadecay emamomentum exponentialmovingaverage movingaverage averageweights", "train", _renamed("ema")),
    ("numepochs nepochs maxepochs", "train", _renamed("epochs")),
    ("randomseed randomstate", "train", _renamed("seed")),
    ("criterion objective lossfn lossfunction", "train step", _renamed("loss")),
    ("opt optim", "train step", _renamed("optimizer")),
    ("valsplit validationsplit testsplit valsize testsize valfraction", "data train step", _share),
    ("shuffle shuffled", "data train step", _SHUFFLE),
    ("device engine", "train step test", _command),
)  # fmt: skip
