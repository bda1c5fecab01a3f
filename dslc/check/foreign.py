"""What other libraries call things: names from PyTorch, Keras, NumPy and JAX -> the name here. Pure tables."""

from __future__ import annotations

from collections.abc import Collection

_LAYERS = {
    "linear": "Dense", "fullyconnected": "Dense", "innerproduct": "Dense", "convolution2d": "Conv2d",
    "batchnorm1d": "BatchNorm", "batchnorm2d": "BatchNorm",
    "layernormalization": "LayerNorm", "simplernn": "RNN", "multiheadedattention": "MultiHeadAttention",
    "positionalencoding": "SinusoidalPositions", "sinepositionencoding": "SinusoidalPositions",
    "positionembedding": "LearnedPositions",
    "dropout1d": "ChannelDropout", "dropout2d": "ChannelDropout", "dropout3d": "ChannelDropout",
    "spatialdropout1d": "SequenceDropout", "spatialdropout2d": "ChannelDropout", "spatialdropout3d": "ChannelDropout",
}  # fmt: skip
_FUNCTIONS = {
    "leakyrelu": "leaky_relu", "logsoftmax": "log_softmax", "swish": "silu", "heaviside": "step",
    "logistic": "sigmoid", "mseloss": "mse", "meansquarederror": "mse", "l1loss": "mae", "meanabsoluteerror": "mae",
    "smoothl1loss": "huber", "huberloss": "huber", "crossentropyloss": "cross_entropy",
    "sparsecategoricalcrossentropy": "cross_entropy", "categoricalcrossentropy": "cross_entropy",
    "softmaxcrossentropy": "cross_entropy", "bceloss": "bce",
    "bcewithlogits": "bce_logits", "bcewithlogitsloss": "bce_logits", "binarycrossentropywithlogits": "bce_logits",
    "ctcloss": "ctc", "contrastiveloss": "contrastive", "f1score": "f1", "precisionscore": "precision",
    "recallscore": "recall", "rocaucscore": "auc", "rocauc": "auc", "r2score": "r2", "rootmeansquarederror": "rmse",
    "rootmeansquarederrorloss": "rmse", "confusionmatrix": "confusion_matrix", "vectornorm": "norm",
    "sigmoidcrossentropy": "bce_logits", "nllloss": "nll", "kldivloss": "kl_div", "kldivergence": "kl_div",
    "cat": "concat", "concatenate": "concat", "view": "reshape", "permute": "transpose", "swapaxes": "transpose",
    "unsqueeze": "expand_dims", "broadcastto": "expand", "amax": "max", "amin": "min", "reducesum": "sum",
    "reducemean": "mean", "power": "pow", "detach": "stop_gradient", "stopgradient": "stop_gradient",
    "astype": "cast", "clamp": "clip", "take": "gather", "onehot": "one_hot", "dot": "matmul", "mm": "matmul",
    "bmm": "matmul", "negative": "neg", "absolute": "abs", "multiply": "mul", "divide": "div", "subtract": "sub",
    "maxpooling1d": "max_pool1d", "maxpooling2d": "max_pool2d", "maxpooling3d": "max_pool3d", "maxpool1d": "max_pool1d",
    "maxpool2d": "max_pool2d", "maxpool3d": "max_pool3d", "averagepooling1d": "avg_pool1d", "averagepooling2d": "avg_pool2d",
    "averagepooling3d": "avg_pool3d", "avgpool1d": "avg_pool1d", "avgpool2d": "avg_pool2d", "avgpool3d": "avg_pool3d",
    "adaptiveavgpool1d": "adaptive_avg_pool1d", "adaptiveavgpool2d": "adaptive_avg_pool2d",
    "adaptivemaxpool1d": "adaptive_max_pool1d", "adaptivemaxpool2d": "adaptive_max_pool2d",
    "globalaveragepooling2d": "global_avg_pool", "globalmaxpooling2d": "global_max_pool", "zeropadding2d": "pad",
    "upsampling2d": "upsample", "interpolate": "upsample", "var": "variance",
    "scaleddotproductattention": "attention", "dotproductattention": "attention", "range": "arange",
    "rand": "random_uniform", "randn": "random_normal",
}  # fmt: skip
_ARGUMENTS = {
    "dim": ("axis", "axes"), "dims": ("axis", "axes"), "keepdim": ("keepdims",), "usebias": ("bias",),
    "outfeatures": ("units",), "numunits": ("units",), "rate": ("p",), "dropoutrate": ("p",), "prob": ("p",),
    "negativeslope": ("slope",), "alpha": ("slope",), "learningrate": ("lr",), "betas": ("beta1", "beta2"),
    "epsilon": ("eps",), "decay": ("weight_decay",), "numclasses": ("classes",), "depth": ("classes",),
    "min": ("low",), "max": ("high",), "kernelsize": ("kernel", "window"), "poolsize": ("window",), "strides": ("stride",),
    "padding": ("pad",), "filters": ("channels",), "outchannels": ("channels",), "dilationrate": ("dilation",),
    "numheads": ("heads",), "nhead": ("heads",), "dimfeedforward": ("ff",), "iscausal": ("causal",), "usecausalmask": ("causal",),
    "keypaddingmask": ("mask",), "srckeypaddingmask": ("mask",), "tgtkeypaddingmask": ("mask",), "attnmask": ("mask",),
    "attentionmask": ("mask",), "outputpadding": ("output_pad",),
    "depthmultiplier": ("multiplier",), "weight": ("weights",), "classweight": ("weights",), "posweight": ("pos_weight",),
    "hiddensize": ("units",), "nonlinearity": ("activation",), "gobackwards": ("reverse",), "initialstate": ("h0",),
    "hx": ("h0",), "cx": ("c0",), "sequencelength": ("lengths",), "sequencelengths": ("lengths",), "seqlengths": ("lengths",),
    "numembeddings": ("vocab",), "inputdim": ("vocab",), "embeddingdim": ("d",), "embeddim": ("d",), "outputdim": ("d",),
    "paddingindex": ("padding_idx",),
    "numwords": ("vocab",), "maxtokens": ("vocab",), "maxfeatures": ("vocab",), "vocabsize": ("vocab",),
    "maxlen": ("length",), "maxlength": ("length",), "outputsequencelength": ("length",),
    "sep": ("delimiter",), "separator": ("delimiter",), "names": ("columns",), "dropna": ("missing",), "fillna": ("missing",),
    "na": ("missing",), "navalues": ("missing",),
    "inputlengths": ("steps",), "targetlengths": ("number",), "labellengths": ("number",), "blankindex": ("blank",),
}  # fmt: skip
#: Names whose counterpart here acts otherwise: what to write, said in a sentence of its own.
_DIFFERENCES = {
    **dict.fromkeys(
        ("batchnorm1d", "batchnorm2d", "batchnorm3d", "lazybatchnorm1d", "lazybatchnorm2d"),
        "it is `BatchNorm()` here: the input says how many channels there are, and the first number is the axis they lie on",
    ),
    "batchnormalization": "it is `BatchNorm()` here, of axis 1 (`axis = -1` for the last one); `momentum` is the weight of"
    " the new mean, 0.1 for Keras's 0.9",
    "globalaveragepooling1d": "Keras averages the steps of [batch, steps, features]: `mean(axis = 1)` here;"
    " `global_avg_pool()` averages what follows the channels of [batch, channels, steps]",
    "globalmaxpooling1d": "Keras takes the largest over the steps of [batch, steps, features]: `max(axis = 1)` here;"
    " `global_max_pool()` takes it over what follows the channels of [batch, channels, steps]",
    **dict.fromkeys(
        ("binarycrossentropy", "binaryfocalcrossentropy"),
        "of logits it is `bce_logits`, and of probabilities (what `sigmoid` gives) `bce`",
    ),
    **dict.fromkeys(
        ("keypaddingmask", "srckeypaddingmask", "tgtkeypaddingmask"),
        "it is `mask` here, with the opposite meaning: true where a step is real; PyTorch's is true where it is padding:"
        " `mask = not padding`",
    ),
    "memorykeypaddingmask": "it is `memory_mask` here, with the opposite meaning: true where a step is real;"
    " PyTorch's is true where it is padding: `memory_mask = not padding`",
    **dict.fromkeys(
        ("sequential", "modulelist"),
        "stages follow each other by `|>`: `x |> fc1: Dense(64) |> relu |> fc2: Dense(10)`",
    ),
    **dict.fromkeys(
        ("transformerencoder", "transformer"),
        "layers one after another are a repeat: `x |> stack: repeat(6) { TransformerEncoderLayer(8) }`",
    ),
    "transformerdecoder": "a decoder's layers read the `memory` one after another:"
    " `TransformerDecoderLayer(8)(x, memory)`, with a label for each",
    **dict.fromkeys(
        ("reducelronplateau", "plateaulr"),
        "a rate that follows a score is a schedule of the optimizer:"
        " `optimizer = adam(lr = 1e-3 |> plateau(\"val.loss\"))`",
    ),
    **dict.fromkeys(
        ("cosinedecay", "cosineannealinglr", "cosineannealing"),
        "a schedule is the rate of an optimizer: `optimizer = adam(lr = 1e-3 |> cosine(20 epochs))`",
    ),
    "numlayers": "one layer is made at a time: put several in a row, `|> first: LSTM(16) |> second: LSTM(16)`,"
    " or `repeat(2) { LSTM(16) }`",
    "bidirectional": "it is a layer of its own around another: `Bidirectional(LSTM(16))`",
    **dict.fromkeys(
        ("dmodel", "inputsize", "infeatures", "inchannels", "inputshape", "inputlength", "normalizedshape"),
        "it is not given: the input says how large it is",
    ),
    "sparse": "leave it out: of a large table, `sgd` without momentum and `adagrad` update only rows that a batch reads",
    "maskzero": "`padding_idx = 0` makes the id 0 zeros, and a recurrent layer's input `lengths` says how many steps are real",
    **dict.fromkeys(
        ("kernelinitializer", "biasinitializer", "recurrentinitializer", "embeddingsinitializer", "depthwiseinitializer"),
        "initial values are those of PyTorch; for others write the layer as a block of your own, with"
        " `param weight: ... = he_normal()`",
    ),
    **dict.fromkeys(
        ("kernelregularizer", "biasregularizer", "recurrentregularizer", "embeddingsregularizer", "activityregularizer"),
        "a penalty is a term of the loss: `loss = ... + l2(1e-4, on = \"*.weight\")`",
    ),
    "batchfirst": "it is always so: [batch, steps, features]",
    "dataformat": "it is always [batch, channels, height, width]",
    "inplace": "the compiler decides what is written in place",
    "trainable": "a train block says what does not learn: `freeze = [\"emb.*\"]`",
    "name": "a label names a layer: `x |> hidden: Dense(64)`",
    "paddingmode": "`pad(x, 1, mode = \"reflect\")` before the layer pads otherwise",
    **dict.fromkeys(
        ("keydim", "valuedim", "headdim", "headsize"), "it is not given: each head has the features of the input / `heads`"
    ),
    **dict.fromkeys(
        ("attnmask", "srcmask", "tgtmask"),
        "`causal = true` hides later steps, and `mask` says which steps of a sequence are real; a mask of pairs"
        " of steps, true where one may look at the other, is for the function `attention`",
    ),
}  # fmt: skip
#: Options of other libraries' functions that no function has here: what to do without.
_OPTIONS = {
    "fromlogits": "`cross_entropy` and `bce_logits` always take logits; of probabilities `bce` is for two classes, and"
    " `nll(log(p), label)` for several",
    **dict.fromkeys(
        ("sizeaverage", "reduce"), "`reduction` says how the numbers become one: `\"mean\"`, `\"sum\"` or `\"none\"`"
    ),
}  # fmt: skip
#: What stands before a dot in programs of other libraries, and is nothing here.
_PREFIXES = frozenset({"self", "nn", "F", "torch", "tf", "keras", "layers", "np", "jnp", "jax"})


def difference(name: str) -> str:
    """What to write for another library's name where no name here means just the same; or ""."""
    return _DIFFERENCES.get(_plain(name), "")


def option_elsewhere(name: str) -> str:
    """What to do without an option that other libraries' functions have; or ""."""
    return _OPTIONS.get(_plain(name), "")


def is_prefix(name: str) -> bool:
    """Whether a name stands before a dot in other libraries' programs: ``nn.Linear``."""
    return name in _PREFIXES


def layer_meant(name: str) -> str:
    """The layer that another library's name means, or ""."""
    return _LAYERS.get(_plain(name), "")


def function_meant(name: str) -> str:
    """The function that another library's name of a function, or of a layer or class, means; or ""."""
    return _FUNCTIONS.get(_plain(name), "")


def argument_meant(name: str, known: Collection[str]) -> str:
    """Which of the known arguments another library's name means, or ""."""
    return next((meant for meant in _ARGUMENTS.get(_plain(name), ()) if meant in known), "")


def _plain(name: str) -> str:
    return name.lower().replace("_", "")
