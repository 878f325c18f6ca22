"""
Whether calls that differ are captured: what the environment of this process asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from fast_litellm import events
from fast_litellm.errors import Problem, RuleError

if TYPE_CHECKING:
    from fast_litellm.settings import Settings
    from fast_litellm.shadow.capture import Captor


def captor(environment: Settings) -> Optional[Captor]:
    """
    Returns:
        What captures, which is told in an event; None when nothing is asked for.

    Raises:
        MissingExtraError: The package that seals is not installed.
        RuleError: The public key is none.
    """
    if not environment.captured_features or environment.capture_until is None:
        return None
    from fast_litellm.shadow import sealing
    from fast_litellm.shadow.capture import Captor, Terms

    try:
        sealing.seal(environment.capture_key, b"")
    except ValueError as error:
        problem = Problem("environment", 0, 0, f"FAST_LITELLM_CAPTURE_KEY: {error}", "see `fast-litellm capture-key`")
        raise RuleError((problem,)) from None
    until = environment.capture_until
    features = sorted(environment.captured_features)
    events.tell("accel", "warning", events.CAPTURE_BEGUN, features=features, until=until.isoformat())
    terms = Terms(frozenset(features), environment.capture_key, until.timestamp(), environment.capture_most)
    return Captor(terms, sealing.seal)
