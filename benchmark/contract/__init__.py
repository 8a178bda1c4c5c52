"""The contract: the promises of every method and every task, which `sparsefront check` and the tests hold them to.

check.py checks a method or a task; promise.py defines a promise. method_promises.py, mask_promises.py, resumption.py
and task_promises.py hold the promises, and stage.py the small networks and the task that methods are checked on.
"""
