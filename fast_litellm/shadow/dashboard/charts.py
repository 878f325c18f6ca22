"""
Lines over time, as SVG that takes its colours from the page around it.
"""

from __future__ import annotations

import math
import sys
from typing import Any, Sequence

from fast_litellm.errors import MissingExtraError
from fast_litellm.shadow.dashboard import words
from fast_litellm.shadow.dashboard.model import Point

try:
    import pygal
    from markupsafe import Markup
except ImportError as error:
    raise MissingExtraError("fast_litellm.shadow.dashboard", "dashboard") from error

# pygal has the import system look for its maps by a protocol that Python 3.11 warns of at every import after it.
sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]

_SIZE = {"width": 600, "height": 240, "margin": 8, "margin_right": 44}
_X_LABELS = 3


def bound_over_time(points: Sequence[Point], target: float) -> Markup:
    """
    Draw how the divergence bound came down to its target, on a logarithmic scale.

    Args:
        points: At least two, in order.
        target: The rate that must be excluded.

    Returns:
        An SVG element without styles, scripts and identifiers; the page colours `.serie-0` (bound) and `.serie-1`.
    """
    chart = pygal.XY(  # its DateTimeLine asks Python for naive times, which Python 3.12 warns of
        **_SIZE,
        logarithmic=True,
        show_legend=False,
        no_prefix=True,
        js=(),
        css=(),
        show_dots=False,
        truncate_label=-1,
        x_value_formatter=lambda at: f"{words.utc(at):%d %b %H:%M}",
        value_formatter=words.rate,
    )
    first, last = points[0].at, points[-1].at
    chart.x_labels = [first + (last - first) * part / (_X_LABELS - 1) for part in range(_X_LABELS)]
    chart.y_labels = _decades(min(target, *(point.bound for point in points)))
    chart.add("bound", [(point.at, point.bound) for point in points])
    chart.add("target", [(at, target) for at in (first, last)])
    label = f"From {words.rate(points[0].bound)} to {words.rate(points[-1].bound)}; the target is {words.rate(target)}."
    chart.add_xml_filter(lambda root: _bare(root, label))
    return Markup(chart.render(is_unicode=True, disable_xml_declaration=True))  # noqa: S704 - pygal has escaped it


def _decades(lowest: float) -> list[float]:
    return [10.0**exponent for exponent in range(math.floor(math.log10(lowest)), 1)]


def _bare(root: Any, label: str) -> Any:
    """A page that allows no style, script or identifier but its own takes the drawing alone."""
    for parent in root.iter():
        parent.attrib.pop("style", None)
        for child in list(parent):
            is_mouse_only = "overlay" in child.get("class", "")
            if is_mouse_only or not isinstance(child.tag, str) or child.tag in {"defs", "title", "desc"}:
                parent.remove(child)
    root.attrib.pop("id", None)
    root.attrib.update({"role": "img", "aria-label": label})
    return root
