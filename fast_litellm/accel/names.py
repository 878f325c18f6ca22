"""
The names of features, and what is meant by one that nobody has.

A program may declare pairs of any name, so that one that is not known here is no mistake by itself.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Dict, FrozenSet, Iterator, Optional

from fast_litellm.accel import own_pairs
from fast_litellm.accel.seams import SEAMS
from fast_litellm.flags.lint import WARNING

if TYPE_CHECKING:
    from fast_litellm.flags.lint import Doubt

_ALIKE = 0.8
"""From here on a name is taken for a misspelt one: `streaming` is not `stream_parsing`."""

NEVER_COMPARED = frozenset(seam.feature for seam in SEAMS) - frozenset(
    seam.feature for seam in SEAMS if seam.is_comparable
)
"""Features that no stage has compared, because running both sides would do something twice."""


def known() -> FrozenSet[str]:
    """Returns the features of this package and those that modules imported so far have declared."""
    return frozenset(seam.feature for seam in SEAMS) | frozenset(own_pairs.declared())


def meant(name: str) -> Optional[str]:
    """
    Args:
        name: One that may be misspelt.

    Returns:
        The feature that it most resembles; None when it is one itself or resembles none.
    """
    names = known()
    return None if name in names else next(iter(difflib.get_close_matches(name, names, n=1, cutoff=_ALIKE)), None)


def doubts(account: Dict[str, Any]) -> Iterator[Doubt]:
    """
    Args:
        account: What a flag of a rule file would do, as `FlagManager.describe` returns it.

    Returns:
        What deserves a second look because of the flag's name.
    """
    near = meant(account["flag"])
    if near:
        message = f"no feature has this name; did you mean {near}?"
        yield WARNING, "misspelt", 0, message, f"write {near}, or give a pair of your own a name less like it"
    if account["flag"] in NEVER_COMPARED and account["stage"] == "shadow":
        message = "it is never compared, because running both sides would do something twice"
        yield WARNING, "never_compared", 0, message, "at stage shadow nothing happens: say off, canary or on"
