"""The machinery that all methods share; it names no method.

base.py, masked.py, wrapper.py and hand_over.py are the base classes of methods, and registry.py finds a method by the
written form that spec.py parses with the ranges of option_types.py; plugins.py loads files of a user. network.py holds
R networks as flat tensors, prunable.py and choice.py choose the parameters that are pruned, scores.py has scores of
magnitude, masks.py computes masks from scores, intervals.py says how often they change, optimizers.py takes steps.
driver.py drives a method through training, and sparse_optimizer.py drives it in a user's own script. probe.py is what a
method may ask of the training data, inputs.py the norms of inputs, fishers.py two Fisher matrices of gradients.
autocast.py computes packs in mixed precision, compilation.py compiles updates, and lazy.py imports torch when it is
first used. For scripts, script_arguments.py reads what SparseOptimizer is given, script_network.py is the model that a
script may write to, script_probe.py gives a method the loss on a batch, parameter_groups.py and group_options.py keep
parameters and options where torch's optimizers have them, coverage.py says which parameters are pruned, unfinished.py
which an optimizer trains already, and faults.py what is wrong before and after training. ranks.py keeps the ranks of
torch.distributed alike.
"""
