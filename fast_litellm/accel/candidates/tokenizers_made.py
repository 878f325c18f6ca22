"""
The tokenizers that tiktoken has made, with which the reference counts: whoever changes one of them in place, or puts
his own among them, expects to see it asked.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Dict, Optional

from fast_litellm.accel import native, reach
from fast_litellm.errors import Declined

_COUNTS = "_core_bpe"
"""What a tokenizer of tiktoken's comes down to."""


class TokenizersMade:
    """
    Remembers each tokenizer as it was when it was first seen. More may be made at any time.
    """

    def __init__(self) -> None:
        import tiktoken.registry

        self._class: type = tiktoken.Encoding
        self._methods = reach.methods(tiktoken.Encoding)
        self._made: Dict[str, Any] = tiktoken.registry.ENCODINGS
        self._known: Dict[str, Any] = {}
        self._as_seen: Optional[native.IdentityGuard] = None
        with suppress(Declined):  # so is the first call then
            self.check()

    def check(self) -> None:
        """
        Raises:
            Declined: One of them is not what it was.
        """
        if self._as_seen is not None and self._as_seen.holds():
            return
        self._as_seen = None
        made = dict(self._made)
        self._known = {name: known for name, known in self._known.items() if name in made}  # what is gone is made anew
        for name, encoding in made.items():
            self._check(name, encoding)
        self._as_seen = self._seen()

    def _check(self, name: str, encoding: Any) -> None:
        if type(encoding) is not self._class or not self._methods.isdisjoint(vars(encoding)):
            raise Declined("reference_patched")
        made = encoding, getattr(encoding, _COUNTS, None)
        known = self._known.setdefault(name, made)
        if any(one is not other for one, other in zip(known, made)):
            raise Declined("reference_patched")

    def _seen(self) -> native.IdentityGuard:
        """Of all that they are made of; what they remember of themselves later is looked at, and then expected."""
        tables = [self._made, *(vars(it) for it in self._made.values() if type(it) is self._class)]
        return native.IdentityGuard([], tables)
