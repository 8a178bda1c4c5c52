"""The charting library of the page: Vega-Lite, Vega and Vega-Embed, from the package vl-convert-python.

Compared on 2026-11-26 with what the package index offers: Plotly 7.1 ships its whole bundle alone, 4.8 MB, which leaves
no room for results below 5 MB. Bokeh 3.9 takes 1.3 MB and draws on a canvas, whose marks a screen reader does not find.
Vega takes 0.9 MB, draws SVG with a text for every mark, and vl-convert-python holds it within the wheel (33 MB), so a
report needs no network when it is written either. Altair is no dependency: the specifications are in front.js.
"""

from __future__ import annotations

from functools import cache

import vl_convert


@cache
def library() -> str:
    """Return the script that defines `vegaEmbed` for the scripts after it; it takes seconds to make."""
    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))
