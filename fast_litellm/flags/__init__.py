"""
Decide: which implementation serves a call, by rules in a file that may change at any time.

    manager = FlagManager.from_file("rollout.yaml")
    manager.decide("token_counting", unit="user-1", attributes={"model": "gpt-4o"}) -> Decision
    manager.bind("token_counting")("user-1") -> "rust" | "python"

This room knows nothing of LiteLLM, and nothing of what is done with a decision.
"""

from __future__ import annotations

from fast_litellm.flags.decision import Decision
from fast_litellm.flags.manager import FlagManager

__all__ = ["Decision", "FlagManager"]
