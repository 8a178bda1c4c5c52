"""The machinery that all methods share; it names no method.

base.py, masked.py and wrapper.py are the base classes of methods, and registry.py finds a method by the written form
that spec.py parses. network.py holds R networks as flat tensors, masks.py computes masks, optimizers.py takes steps.
driver.py drives a method through training, and sparse_optimizer.py drives it in a user's own script. probe.py is what
a method may use before training. autocast.py computes packs in mixed precision, compilation.py compiles updates,
and lazy.py imports torch when it is first used. coverage.py and final_check.py tell a script which
parameters are pruned, and what is wrong at the end of its training.
"""
