"""`--set` reaches the settings of steps, the options of their optimizers, and those of `early_stop`."""

from __future__ import annotations

import pytest

from dslc.check.overrides import apply_overrides
from dslc.check.units import Unit
from dslc.diagnostics import Sink
from dslc.source import Source
from dslc.syntax.parse import parse

PROGRAM = """\
train gan {
  use g = Generator()
  use d = Critic()
  data  = ring
  step critic    { update d; loss = a; optimizer = adam(lr = 2e-4) }
  step generator { update g; loss = b }
  early_stop(on = "loss", patience = 3 epochs)
}
"""


def override(setting: str) -> list[str]:
    """The lines that a setting changes."""
    sink = Sink()
    file = parse(Source("gan.dl", PROGRAM), sink)
    changed = apply_overrides(Unit(file), [setting], sink).source
    assert not sink.found, [d.message for d in sink.found]
    return [line for line in changed.text.splitlines() if line not in PROGRAM.splitlines()]


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("critic.optimizer.lr=1e-3", "  step critic    { update d; loss = a; optimizer = adam(lr = 1e-3) }"),
        (
            "critic.clip_norm=1.0",
            "  step critic    { update d; loss = a; optimizer = adam(lr = 2e-4); clip_norm = 1.0 }",
        ),
        ("generator.optimizer=sgd(lr = 0.1)", "  step generator { update g; loss = b; optimizer = sgd(lr = 0.1) }"),
        ("early_stop.patience=5 epochs", '  early_stop(on = "loss", patience = 5 epochs)'),
        ("early_stop.min_delta=0.1", '  early_stop(on = "loss", patience = 3 epochs, min_delta = 0.1)'),
        ("train.gan.optimizer.lr=0.1", "  optimizer = adam(lr = 0.1)"),
        ('train.gan.freeze=["d.fc1.*"]', '  freeze = ["d.fc1.*"]'),
    ],
)
def test_a_setting_of_a_step_changes_one_line(setting: str, line: str):
    assert override(setting) == [line]


def test_an_option_that_several_steps_have_must_be_written_out():
    sink = Sink()
    apply_overrides(Unit(parse(Source("gan.dl", PROGRAM), sink)), ["clip_norm=1"], sink)
    (found,) = sink.found
    assert found.code == "DL3082"
    assert "`train.gan.clip_norm`, `train.gan.critic.clip_norm`" in found.labels[0].text
