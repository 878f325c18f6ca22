"""
Everything at once: all features of the table of seams at off, in shadow, or on.

At off nothing is installed. In shadow every feature that is free of effects is compared as it is without a rule file:
as often as the processor time allows that comparisons may use.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fast_litellm
from fast_litellm.accel.seams import SEAMS
from fast_litellm.cli import scratch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OFF, SHADOW, ON = "off", "shadow", "on"
STAGES = (OFF, SHADOW, ON)


def features(stage: str) -> list[str]:
    """
    Returns:
        The names of the features that can be at a stage.
    """
    return list(dict.fromkeys(seam.feature for seam in SEAMS if stage != SHADOW or seam.effect_free))


def rules(stage: str) -> dict[str, Any]:
    """
    Returns:
        Rules that have everything at a stage.
    """
    return {"version": 1, "flags": {name: {"stage": stage} for name in features(stage)}}


class Switch:
    """
    Puts everything at a stage, again and again.

    Args:
        directory: Where its rule files are.
    """

    def __init__(self, directory: Path) -> None:
        self._files = {stage: directory / f"{stage}.yaml" for stage in STAGES}
        for stage, file in self._files.items():
            file.write_text(json.dumps(rules(stage)), encoding="utf-8")

    def turn(self, stage: str) -> None:
        """Puts everything at a stage. At off, LiteLLM is as it was installed: the original objects stand everywhere."""
        if stage == OFF:
            fast_litellm.uninstall()
        else:
            fast_litellm.install(self._files[stage])


@contextmanager
def switch() -> Iterator[Switch]:
    """
    Yields:
        A switch; after the block everything is off.
    """
    with scratch.directory("bench") as directory:
        try:
            yield Switch(directory)
        finally:
            fast_litellm.uninstall()


@contextmanager
def installed(flags: Mapping[str, Any]) -> Iterator[None]:
    """
    Args:
        flags: What a rule file says of each feature; they are installed during the block.
    """
    with scratch.directory("bench") as directory:
        file = directory / "rollout.yaml"
        file.write_text(json.dumps({"version": 1, "flags": flags}), encoding="utf-8")
        fast_litellm.install(file)
        try:
            yield
        finally:
            fast_litellm.uninstall()


def compared() -> tuple[int, int]:
    """
    Returns:
        How many calls could be compared in this process, over all features, and how many of them were left out because
        comparisons may use no more processor time.
    """
    features = fast_litellm.status()["features"].values()
    left_out = sum(it["sampled_out"] + it["shed"].get("budget", 0) for it in features)
    return sum(it["offered"] for it in features), left_out


def in_flight() -> int:
    """
    Returns:
        How many calls of this process wait for their comparison, over all features.
    """
    return sum(it["in_flight"] for it in fast_litellm.status()["features"].values())
