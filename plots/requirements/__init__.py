"""The requirements of the checklist: one function each, whose docstring is the requirement.

comparisons.py judges what is compared, measures.py the numbers, records.py what is kept, and publications.py levels and
orders against published ones; verdicts.py has what they share. ITEMS is their order.
"""

from __future__ import annotations

from plots.requirements import comparisons, measures, publications, records
from plots.requirements.verdicts import Results

__all__ = ["ITEMS", "Results"]

ITEMS = (
    measures.structured,
    comparisons.pairs,
    measures.two_axes,
    measures.conventions,
    measures.top_five,
    comparisons.control,
    measures.curves,
    measures.raw,
    measures.spread,
    comparisons.pipeline,
    comparisons.random,
    comparisons.magnitude,
    comparisons.kinds,
    comparisons.budget,
    records.reproducible,
    records.kept,
    records.claims,
    publications.levels,
    publications.orders,
)
