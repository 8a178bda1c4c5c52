"""Names of torch's functions by how they treat the features of a tensor: units of linear layers, channels of images.

The last name of a function decides, since torch.relu, Tensor.relu and functional.relu are the same.
"""

from __future__ import annotations

ELEMENTWISE = {
    "relu", "relu_", "relu6", "leaky_relu", "leaky_relu_", "prelu", "elu", "elu_", "selu", "celu", "gelu", "silu",
    "mish", "hardswish", "hardsigmoid", "hardtanh", "tanh", "sigmoid", "softplus", "softsign", "logsigmoid", "exp",
    "abs", "square", "pow", "__pow__", "clamp", "clamp_", "neg", "__neg__", "hardshrink", "softshrink", "dropout",
    "to", "float", "double", "half", "bfloat16",
    "dropout1d", "dropout2d", "dropout3d", "feature_dropout", "alpha_dropout", "feature_alpha_dropout",
}  # fmt: skip
CONVOLUTIONS = {"conv1d": 3, "conv2d": 4, "conv3d": 5}  # with the axes of their inputs
SUMS = {"add", "add_", "__add__", "__radd__", "__iadd__"}
PRODUCTS = {"mul", "mul_", "__mul__", "__rmul__", "__imul__"}
QUOTIENTS = {"div", "div_", "__truediv__", "true_divide"}
ARITHMETIC = SUMS | PRODUCTS | QUOTIENTS | {"sub", "sub_", "__sub__", "__rsub__", "__isub__", "rsub"}
MAX_POOLS = {"max_pool1d", "max_pool2d", "max_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d"}
MEAN_POOLS = {"avg_pool1d", "avg_pool2d", "avg_pool3d"}
ADAPTIVE_MEANS = {"adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"}
ALONG = {"mean", "amax", "squeeze", "sum"}  # over other axes than the units, these keep constants, a sum only zeros
SAME = {"contiguous", "clone", "detach"}
RESIZES = {"interpolate", "upsample"}
RESHAPES = {"flatten", "view", "reshape"}
