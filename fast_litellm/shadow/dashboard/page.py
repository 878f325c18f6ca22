"""
A picture as one HTML page that needs nothing else: no script, no style, no font and no image from anywhere.

Feature names, reasons and actors are other people's text: the templates escape everything that is put into them. The
page's own policy forbids every request and every style or script but its own, which it names by their digests.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Any

from fast_litellm.errors import MissingExtraError
from fast_litellm.shadow.dashboard import charts, words
from fast_litellm.shadow.dashboard.model import Picture

try:
    import jinja2
    from markupsafe import Markup
except ImportError as error:
    raise MissingExtraError("fast_litellm.shadow.dashboard", "dashboard") from error

MARKS = {
    "off": "\N{WHITE CIRCLE}",
    "shadow": "\N{CIRCLE WITH LEFT HALF BLACK}",
    "canary": "\N{CIRCLE WITH ALL BUT UPPER LEFT QUADRANT BLACK}",
    "on": "\N{BLACK CIRCLE}",
    "paused": "\N{DOUBLE VERTICAL LINE}",
    "blocked": "\N{CIRCLED DIVISION SLASH}",
    "certified": "\N{BLACK SQUARE}",
    "collecting": "\N{WHITE SQUARE CONTAINING BLACK SMALL SQUARE}",
    "unseen": "\N{WHITE SQUARE}",
    "diverged": "\N{BALLOT X}",
    "passed": "\N{CHECK MARK}",
    "present": "\N{BLACK CIRCLE}",
    "ahead": "\N{WHITE CIRCLE}",
}
"""Colour is never alone: every state has a sign of its own, and a word."""


def render(picture: Picture, *, live: bool = False) -> str:
    """
    Args:
        picture: What to show.
        live: Whether the page asks its server for the next picture.

    Returns:
        The page.
    """
    template = _environment().get_template("page.html.j2")
    return template.render(picture=picture, live=live, policy=policy(live=live))


def policy(*, live: bool = False) -> str:
    """
    Args:
        live: Whether the page asks its server for the next picture.

    Returns:
        The page's Content-Security-Policy, without the directives that only a header may carry.
    """
    sources = {"style-src": _digest(_asset("style.css")), "img-src": "data:"}
    if live:
        sources.update({"script-src": _digest(_asset("live.js")), "connect-src": "'self'"})
    allowed = "; ".join(f"{name} {source}" for name, source in sources.items())
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("fast_litellm.shadow.dashboard"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("anchor", "factor", "moment", "number", "rate", "share"):
        made.filters[name] = getattr(words, name)
    made.filters["duration"] = lambda seconds: words.duration(seconds).replace(" ", "\N{NO-BREAK SPACE}")
    made.globals.update(asset=_markup, chart=charts.bound_over_time, marks=MARKS, dash=words.NONE)
    return made


@cache
def _asset(name: str) -> str:
    folder = resources.files("fast_litellm.shadow.dashboard") / "templates"
    return (folder / name).read_text(encoding="utf-8")


def _markup(name: str) -> Any:
    return Markup(_asset(name))  # noqa: S704 - a file of this package


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
