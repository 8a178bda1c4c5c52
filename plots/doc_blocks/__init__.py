"""The blocks of the documentation that come from the published results: tables and numbers of sentences.

published.py reads the results. numbers.py has accuracies, compressions and differences of methods, counts.py has
numbers of single runs, of trials of learning rates and of layers, tables.py has the tables, objectives.py that of
objectives, budgets.py that of budgets, scores.py that of another metric than accuracy, and latency.py has those of
measured latency with their numbers.
"""

from __future__ import annotations

from plots.doc_blocks import budgets, counts, latency, numbers, objectives, scores, tables
from plots.docs import Block

_FUNCTIONS: tuple[Block, ...] = (
    budgets.after,
    budgets.budgets,
    numbers.against,
    numbers.at,
    numbers.compression,
    numbers.difference,
    numbers.differs,
    numbers.lead,
    numbers.mean,
    numbers.point,
    numbers.spread,
    numbers.top,
    counts.below,
    counts.chosen,
    counts.curve,
    counts.diverged,
    counts.kept,
    counts.seeds,
    counts.speedup,
    counts.steady,
    counts.trial,
    counts.zeros,
    latency.gain,
    latency.latency,
    latency.pays,
    objectives.objectives,
    scores.scores,
    tables.differences,
    tables.masks,
    tables.penalties,
)
BLOCKS: dict[str, Block] = {function.__name__: function for function in _FUNCTIONS}
