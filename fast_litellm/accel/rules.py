"""
The rules that are in force when nothing else is said: the rule file, the environment's words, or the built-in defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from fast_litellm import settings
from fast_litellm.accel import own_pairs
from fast_litellm.accel.seams import SEAMS
from fast_litellm.flags import FlagManager

if TYPE_CHECKING:
    import os


def in_force(config: Optional[os.PathLike[str] | str] = None) -> FlagManager:
    """
    Load the rules as an installation would.

    Args:
        config: The rule file; else the one that FAST_LITELLM_CONFIG names; else every effect-free feature is in shadow.

    Raises:
        RuleError: The environment or the rule file cannot be used; every problem is listed.
    """
    environment = settings.read()
    path = config or environment.config
    if path is not None:
        return FlagManager.from_file(path, overrides=environment.flag_overrides, disabled=environment.disable)
    pairs = own_pairs.declared().values()
    names = [seam.feature for seam in SEAMS if seam.effect_free] + [p.name for p in pairs if p.pair.effect_free]
    return FlagManager.default(names, overrides=environment.flag_overrides, disabled=environment.disable)


def stage(manager: FlagManager, flag: str) -> str:
    """
    Returns:
        The stage that a flag is at: that of the rules, but for one that is blocked or that somebody has paused.
    """
    found = manager.stage(flag)
    is_paused = found not in ("off", "blocked") and manager.standing(flag)["state"] == "paused"
    return "paused" if is_paused else found
