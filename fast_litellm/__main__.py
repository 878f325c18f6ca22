"""`python -m fast_litellm` is the same as `fast-litellm`."""

from __future__ import annotations

from fast_litellm.cli import main

if __name__ == "__main__":
    main()
