"""Training R runs of one task and method, and measuring their final networks.

loop.py trains, schedule.py gives the learning rate of every step, and probe.py gives methods training data before
training. state.py holds what checkpoint.py saves. measure.py measures runs with the counts of evaluation.py and
effective.py, the multiply-adds of flops.py and the running statistics of batch_norm.py; modes.py keeps those of frozen
batch norm; uncut.py measures those with a penalty before their small weights become zero. devices.py knows the devices
of this machine.
"""
