"""
Where comparisons go: one runner a feature, one recorder a process, and the blocks that earlier processes left behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fast_litellm.shadow import Budget, Experiment, ShadowRunner

if TYPE_CHECKING:
    from fast_litellm.accel.feature import Feature
    from fast_litellm.flags import FlagManager


class Evidence:
    """
    The shadow side of one installation.

    Args:
        ledger: The address of the ledger.
    """

    def __init__(self, ledger: str) -> None:
        self._ledger = ledger

    def runner(self, feature: Feature, manager: FlagManager) -> ShadowRunner:
        """Returns a runner for a feature; a candidate whose build is blocked in the ledger is blocked here too."""
        pair = feature.pair
        return ShadowRunner(
            Experiment(feature.name, pair.control, pair.candidate, pair.comparator),
            tally=feature.tally,
            budget=Budget(_share(manager, feature.name)),
            on_block=lambda name, fingerprint: manager.block(name, f"divergence:{fingerprint}"),
        )

    def close(self) -> None:
        """Flushes what is left."""


def _share(manager: FlagManager, flag: str) -> float:
    """The share of one core that the rules allow a flag's comparisons."""
    shadow = manager.status()["flags"].get(flag, {}).get("shadow") or {}
    return float(shadow.get("budget", 5.0)) / 100
