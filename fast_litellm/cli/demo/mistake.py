"""The deliberately wrong candidate of the demo's third act."""

from __future__ import annotations

import inspect
import uuid
from typing import Any

from fast_litellm.accel.seams import SEAMS
from fast_litellm.cli.demo.stage import FEATURE


class OffByOne:
    """
    The built-in candidate, but one token too many where tools are offered: the kind of mistake plain text never shows.

    Args:
        module: The module that defines LiteLLM's token counter.
        semantics: The reference the built-in candidate is to equal.
    """

    def __init__(self, module: Any, semantics: str) -> None:
        honest = next(seam for seam in SEAMS if seam.feature == FEATURE)
        self._honest: Any = honest.candidate(module, semantics)
        self._signature = inspect.signature(getattr(module, honest.name))
        # Evidence and blocks belong to a build: this one's must speak neither about the honest candidate nor about the
        # wrong one of the next demo, which has to be caught anew.
        self.build = f"{self._honest.build}+off-by-one.{uuid.uuid4().hex[:8]}"

    def prepare(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """
        Returns:
            The honest candidate's plan.
        """
        return self._honest.prepare(args, kwargs)

    def run(self, plan: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
        """
        Returns:
            The honest count, plus one where tools are offered.
        """
        count: int = self._honest.run(plan, args, kwargs)
        return count + bool(self._signature.bind(*args, **kwargs).arguments.get("tools"))
