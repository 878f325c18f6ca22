"""
Where an exception came from, told without anything of what it says.
"""

from __future__ import annotations

import re
from typing import Optional

_NAME = re.compile(r"[A-Za-z0-9_.<>]{1,80}")


def innermost_function(error: BaseException, *, is_caught_natively: bool = False) -> str:
    """
    Args:
        error: What was raised and caught; its traceback is read before it is gone.
        is_caught_natively: Native code has caught it, which has no frame in the traceback.

    Returns:
        The name of the innermost function of its traceback beyond the one that caught it; empty when native code
        raised it, or when the name is not one that source text could give.
    """
    name = ""
    step = error.__traceback__
    if step is not None and not is_caught_natively:
        step = step.tb_next
    while step is not None:
        name, step = _name(step.tb_frame.f_code), step.tb_next
    return name


def _name(code: object) -> str:
    name: Optional[str] = getattr(code, "co_qualname", None) or getattr(code, "co_name", "")
    return name if name and _NAME.fullmatch(name) else ""
