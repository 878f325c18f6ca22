"""
ROUTE: seams, dispatch, install and uninstall.

    seams.py          the table of places where a candidate may run; candidates/ has one file for each
    installation.py   install, uninstall, status, doctor
    feature.py        one seam at run time
    entry_points.py   LiteLLM's entry points, so that every call carries its context
    own_pairs.py      the decorator for a program's own pair of implementations
    patching.py       replacing functions and putting them back
    fingerprint.py    which reference is installed; references.py lists those that are known
    native.py         the only importer of the compiled module
"""

from __future__ import annotations

from fast_litellm.accel.context import context
from fast_litellm.accel.counting import count_tokens, count_tokens_batch
from fast_litellm.accel.installation import doctor, install, status, uninstall
from fast_litellm.accel.own_pairs import seam

__all__ = ["context", "count_tokens", "count_tokens_batch", "doctor", "install", "seam", "status", "uninstall"]
