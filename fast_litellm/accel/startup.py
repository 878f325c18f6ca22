"""
Installing while Python starts: for `fast-litellm run` and for FAST_LITELLM_AUTO=1.
"""

from __future__ import annotations

import functools
import sys

from fast_litellm.accel.installation import install
from fast_litellm.errors import FastLiteLLMError


@functools.cache  # in a virtual environment Python reads every .pth file twice
def install_or_say_why() -> None:
    """Installs by the environment. A program never fails to start because of it: the reason goes to standard error."""
    try:
        install()
    except FastLiteLLMError as error:
        sys.stderr.write(f"fast-litellm: nothing is accelerated: {error}\n")
