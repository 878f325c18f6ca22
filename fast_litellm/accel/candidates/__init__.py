"""
One file for each seam: arguments in, a native call, the exact type LiteLLM expects out. No policy.
"""

from __future__ import annotations
