"""
The command line: `fast-litellm` and `python -m fast_litellm`.

One file per command, each with a click command named `command`; `demo/` and `bench/` are folders because their work is
larger. `program` finds commands and turns every outcome into words and an exit status, `console` is how they speak.
Nothing here imports LiteLLM before a command needs it.
"""

from __future__ import annotations

from fast_litellm.cli.program import main

__all__ = ["main"]
