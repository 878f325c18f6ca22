"""
Install and uninstall: which seams are patched, by which rules, with which evidence.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional

import wrapt

from fast_litellm import settings
from fast_litellm.accel import entry_points
from fast_litellm.accel.attachment import Attachment
from fast_litellm.accel.seams import SEAMS
from fast_litellm.flags import FlagManager

if TYPE_CHECKING:
    import os

    from fast_litellm.accel.attachment import CandidateFactory
    from fast_litellm.accel.patching import Patch

_lock = threading.RLock()
_current: Optional[Installation] = None


class Installation:
    """
    One set of rules in force over the table of seams.

    Args:
        manager: The rules.
        evidence: Where comparisons go.
        candidates: Feature name to a factory that replaces the table's, for tests and demonstrations.
    """

    def __init__(self, manager: FlagManager, evidence: Evidence, candidates: Mapping[str, CandidateFactory]) -> None:
        self.manager = manager
        self.evidence = evidence
        self.attachments = [
            Attachment(seam, manager, evidence, candidates.get(seam.feature, seam.candidate)) for seam in SEAMS
        ]
        self._entry_patches: List[Patch] = []

    def start(self) -> None:
        """Patches what is loaded, and whatever is imported later."""
        self.manager.subscribe(self.refresh)
        self.manager.watch()
        for module in ("litellm", *entry_points.MODULES, *(attachment.seam.module for attachment in self.attachments)):
            wrapt.register_post_import_hook(self._imported, module)

    def stop(self) -> None:
        """Puts the original objects back and flushes the evidence."""
        self.manager.close()
        for attachment in self.attachments:
            attachment.detach()
        self._wrap_entry_points(wanted=False)
        self.evidence.close()

    def refresh(self) -> None:
        """Brings what is patched in line with the rules, after a reload or an import."""
        with _lock:
            if _current is not self or not _is_loaded("litellm"):
                return
            for attachment in self.attachments:
                attachment.refresh()
            self._wrap_entry_points(wanted=any(attachment.is_patched for attachment in self.attachments))

    def _imported(self, _module: Any) -> None:
        self.refresh()

    def _wrap_entry_points(self, *, wanted: bool) -> None:
        if wanted:
            fresh = entry_points.patches()
            for patch in fresh:
                patch.apply()
            self._entry_patches.extend(fresh)
            return
        for patch in self._entry_patches:
            patch.restore()
        self._entry_patches.clear()
