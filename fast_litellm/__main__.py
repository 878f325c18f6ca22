"""
`python -m fast_litellm` is the command `fast-litellm`.
"""

from __future__ import annotations

from fast_litellm.cli import main

main()
