"""Directories that go away."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def directory(kind: str) -> Iterator[Path]:
    """
    Args:
        kind: What it is for, a word of its name.

    Yields:
        An empty directory. After the block it is removed; a ledger's thread that still writes while its directory goes
        has its file left behind rather than the whole command failing.
    """
    found = Path(tempfile.mkdtemp(prefix=f"fast-litellm-{kind}-"))
    try:
        yield found
    finally:
        shutil.rmtree(found, ignore_errors=True)
