"""Methods in programs of other libraries that nothing here has: name -> what does the same. A pure table."""

from __future__ import annotations

_TRAINING = "a `train` block says how a model learns, and `dslc train FILE` runs it"
_DEVICE = "a program does not say where it runs; `dslc eval` and `dslc predict` take `--device`"
_SAVED = '`dslc train` saves what was trained, and `use net = Net(init = weights("runs/a"))` starts from it'
_UPDATE = "gradients and updates follow from `loss` and `optimizer` of a `train` block"
_MODE = "a model is in training mode in its training steps, and else in inference mode"
_NUMBERS = "a tensor is a value of the graph; `dslc predict` gives its numbers"

METHODS = {
    "fit": _TRAINING,
    "compile": "loss, metrics and optimizer are settings of a `train` block",
    "evaluate": "`dslc eval RUN` computes loss and metrics of a trained model",
    "predict": "`dslc predict RUN --input FILE` computes the outputs of a trained model",
    "summary": "`dslc info FILE` shows layers, shapes and sizes",
    **dict.fromkeys(("to", "cuda", "cpu"), _DEVICE),
    **dict.fromkeys(("save", "load", "save_weights", "load_weights", "state_dict", "load_state_dict"), _SAVED),
    **dict.fromkeys(("backward", "zero_grad", "step"), _UPDATE),
    **dict.fromkeys(("train", "eval"), _MODE),
    **dict.fromkeys(("item", "numpy", "tolist"), _NUMBERS),
    "parameters": "an optimizer updates all parameters of the models in a `train` block; `freeze` names those it leaves",
}
