"""
Roll Rust out under LiteLLM, one proven percent at a time.

    fast_litellm.install("rollout.yaml")   start: patches LiteLLM now, or when it is imported
    fast_litellm.uninstall()               stop: the original objects are back
    fast_litellm.status()                  what each feature has served, compared and seen differ
    fast_litellm.doctor()                  whether everything needed is here and known

Layout: `flags` decides, `accel` routes, `shadow` compares, remembers and judges, `cli` is the command line.
"""

from __future__ import annotations

from fast_litellm.accel import context, count_tokens, count_tokens_batch, doctor, install, seam, status, uninstall

# First, so that the rooms have their native parts: see docs/decisions/0002-ports-for-native-code.md.
from fast_litellm.accel.native import VERSION as __version__  # noqa: N811 - the name Python expects

__all__ = [
    "__version__",
    "context",
    "count_tokens",
    "count_tokens_batch",
    "doctor",
    "install",
    "seam",
    "status",
    "uninstall",
]
