"""LiteLLM, imported by the commands that need it; it takes seconds, so the others do not."""

from __future__ import annotations

import os
from typing import Any


def import_litellm() -> Any:
    """
    Import LiteLLM for a command's own use: no network, no telemetry, no advertisement on standard error.

    Returns:
        The module.
    """
    # LiteLLM reads these while it is imported: the price list comes from its own wheel, and only errors are logged.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ.setdefault("LITELLM_LOG", "ERROR")
    import litellm

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    return litellm
