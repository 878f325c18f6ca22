"""Lines over time."""

from __future__ import annotations

import re

from fast_litellm.shadow.dashboard.charts import bound_over_time
from fast_litellm.shadow.dashboard.model import Point

POINTS = tuple(Point(1_764_000_000 + 3_600 * hour, 1 / (50 + hour * 1_000)) for hour in range(12))


def test_the_drawing_holds_nothing_but_shapes():
    """No style, script, comment, identifier or description of pygal's is left: the page's policy would refuse them."""
    text = bound_over_time(POINTS, 1e-5)

    assert text.startswith("<svg ")
    assert 2 == len(re.findall(r'<g class="series serie-\d[^>]*><path', text))
    assert not re.search(r"<(style|script|defs|desc|title|!--)| (style|id|onclick|href)=", text)


def test_the_drawing_is_said_in_words():
    """Who cannot see it learns where the line began, where it is, and where it has to go."""
    assert 'role="img" aria-label="From 2% to 0.0091%; the target is 0.001%."' in bound_over_time(POINTS, 1e-5)


def test_the_scale_reaches_the_target():
    """Both the bound and its target lie between whole powers of ten."""
    text = bound_over_time(POINTS, 1e-5)

    assert {"0.001%", "0.1%", "10%"} <= set(re.findall(r">([^<]+%)</text>", text))
