"""
Calls of the limiter that are made up: each part of the call is a counter in its window.
"""

from __future__ import annotations

import importlib
from typing import Any, Dict, List

from fast_litellm.accel.candidates import made_up
from fast_litellm.accel.candidates.rate_limiting import WRAPPER
from fast_litellm.accel.candidates.window_twins import Twin, entry_keys
from fast_litellm.shadow.candidate import Call

_MOMENT, _WINDOW = 1_700_000_000, 60
_ROOM = 10_000
_BEGUN = 3 / 4
"""How many of the windows have begun."""


def counted(call: Call) -> Call:
    """
    Args:
        call: Made up, with anything as arguments.

    Returns:
        The call on a twin that it stands for: each part of it is a counter, whose window may have begun or be over.
    """
    importlib.import_module(WRAPPER)  # it is known once it is loaded
    keys: List[str] = []
    entries: Dict[str, Any] = {}
    expiries: Dict[str, float] = {}
    for index, dice in enumerate(made_up.dice(call)):
        window, *counters = entry_keys(f"{{api_key:{index}}}:window")
        pair = (window, dice.choice(counters))
        keys += pair
        begun = _MOMENT - dice.choice((0, 1, _WINDOW - 1, _WINDOW, _WINDOW + 1))
        if dice.random() < _BEGUN:
            entries.update(zip(pair, (str(begun), dice.choice((0, 1, 7, 1_000)))))
            expiries.update(dict.fromkeys(pair, float(_MOMENT + dice.choice((1, _WINDOW)))))
    return (Twin(entries, expiries, {}, _MOMENT, _ROOM), keys, _MOMENT, _WINDOW), {}
