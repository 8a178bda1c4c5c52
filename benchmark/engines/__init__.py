"""Engines compute packs of runs: in this process, in local processes, or on a Ray cluster.

dispatch.py chooses the engine; local.py and ray_cluster.py are the engines. packs.py groups runs and trains a pack,
worker.py holds the state of a process that does so, and worker_process.py is a process that does it for another one;
settings.py holds the settings of a sweep, signals.py signal handlers; threads.py ends the threads of plugins, and
interrupts.py a command that goes on after Ctrl-C.
"""
