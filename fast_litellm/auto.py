"""
`import fast_litellm.auto` is `fast_litellm.install()`: a one-line drop-in.
"""

from __future__ import annotations

import fast_litellm

fast_litellm.install()
