"""
Install and uninstall: which seams are patched, by which rules, with which evidence.
"""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Set

import wrapt

from fast_litellm import events, settings
from fast_litellm.accel import diagnosis, entry_points, own_pairs, patching
from fast_litellm.accel.attachment import Attachment
from fast_litellm.accel.evidence import Evidence
from fast_litellm.accel.feature import Feature
from fast_litellm.accel.native import Tally
from fast_litellm.accel.seams import SEAMS
from fast_litellm.errors import RuleError
from fast_litellm.flags import FlagManager

if TYPE_CHECKING:
    import os
    from types import ModuleType

    from fast_litellm.accel.attachment import CandidateFactory
    from fast_litellm.accel.patching import Patch

_lock = threading.RLock()
_imported_modules: Set[str] = set()
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
        self._pairs: Dict[str, Feature] = {}
        self._refreshing = False

    def start(self) -> None:
        """Patches what is loaded, and whatever is imported later."""
        self.evidence.obey_fleet(self.manager)
        for pair in own_pairs.declared().values():
            self.connect(pair)
        self.manager.subscribe(self.refresh)
        self.manager.watch()
        self.refresh()

    def connect(self, pair: Feature) -> None:
        """Routes the calls of a program's own pair by the rules."""
        labels = functools.partial(self._labels, pair)
        pair.connect(self.manager, self.evidence.runner(pair, self.manager, labels))
        self._pairs[pair.name] = pair

    def stop(self) -> None:
        """Puts the original objects back and flushes the evidence."""
        self.manager.close()
        for attachment in self.attachments:
            attachment.detach()
        for pair in self._pairs.values():
            pair.disconnect()
        self._wrap_entry_points(wanted=False)
        self.evidence.close()

    def refresh(self) -> None:
        """Brings what is patched in line with the rules, after a reload or an import."""
        with _lock:
            # Attaching may find a block in the ledger, and blocking says that the rules have changed.
            if _current is not self or self._refreshing or not _litellm_is_imported():
                return
            self._refreshing = True
            try:
                for attachment in self.attachments:
                    attachment.refresh()
                self._wrap_entry_points(wanted=any(attachment.is_patched for attachment in self.attachments))
            finally:
                self._refreshing = False

    def features(self) -> Dict[str, Dict[str, Any]]:
        """Returns what each feature has done in this process, by name."""
        seams = {attachment.seam.feature: self._feature(attachment) for attachment in self.attachments}
        return {**seams, **{pair.name: {**self._labels(pair), **pair.tally.reading()} for pair in self._pairs.values()}}

    def _feature(self, attachment: Attachment) -> Dict[str, Any]:
        tally = attachment.feature.tally if attachment.feature is not None else Tally()
        return {**attachment.labels(), **tally.reading()}

    def _labels(self, pair: Feature) -> Dict[str, Any]:
        return {
            "stage": self.manager.stage(pair.name),
            "seam": pair.place,
            "state": "patched",
            "patched": True,
            "fingerprint": pair.pair.reference,
        }

    def _wrap_entry_points(self, *, wanted: bool) -> None:
        if wanted:
            fresh = entry_points.patches()
            patching.apply(fresh)
            self._entry_patches.extend(fresh)
        else:
            patching.restore(self._entry_patches)
            self._entry_patches.clear()


def install(
    config: Optional[os.PathLike[str] | str] = None, *, candidates: Optional[Mapping[str, CandidateFactory]] = None
) -> None:
    """
    Start routing LiteLLM's hot functions by rules.

    What is loaded is patched at once, the rest when it is imported. Installing again replaces the rules in force.

    Args:
        config: The rule file; by default the one FAST_LITELLM_CONFIG names. Without either, every effect-free seam
            runs in shadow within the CPU budget and nothing is promoted.
        candidates: Feature name to a factory `(module, semantics) -> candidate` used instead of the built-in one.

    Raises:
        RuleError: The rule file or an environment variable cannot be used; every problem is listed.
    """
    global _current
    environment = settings.read()
    if environment.disable:  # the kill switch works whatever else is wrong
        uninstall()
        return
    manager = _manager(config or environment.config, environment)
    evidence = Evidence(environment.ledger)
    uninstall()
    _watch_imports()
    installation = Installation(manager, evidence, candidates or {})
    with _lock:
        _current = installation
    installation.start()


def uninstall() -> None:
    """Put back the identical original objects and flush the evidence. Without an installation it does nothing."""
    global _current
    with _lock:
        installation, _current = _current, None
    if installation is not None:  # outside the lock: stopping joins threads that may be waiting for it
        installation.stop()


def status() -> Dict[str, Any]:
    """
    Say what each feature has done in this process; `fast-litellm status` adds up all processes.

    Returns:
        `{"installed": bool, "rules": {...}, "features": {NAME: {"stage", "seam", "state", "patched", "fingerprint",
        "served", "declined", "failed", "offered", "sampled_out", "compared", "matched", "waived", "diverged", "shed",
        "in_flight"}}}`.
    """
    with _lock:
        if _current is None:
            return {"installed": False, "rules": {}, "features": {}}
        return {"installed": True, "rules": _current.manager.status(), "features": _current.features()}


def doctor(*, litellm: Optional[str] = None) -> Dict[str, Any]:
    """
    Say whether everything is here that is needed, and whether this LiteLLM is one the candidates are known to equal.

    Args:
        litellm: Ask about this LiteLLM release instead of the installed one; nothing is imported then.

    Returns:
        `{"versions": {...}, "seams": [{"feature", "seam", "fingerprint", "known", "semantics", "state"}],
        "rules": {...}, "ledger": str, "problems": [text]}`; no problems means all is well.
    """
    environment = settings.read()
    states = {} if _current is None else {a.seam.feature: a.state for a in _current.attachments}
    seams = diagnosis.seams() if litellm is None else diagnosis.seams_of(litellm)
    report: Dict[str, Any] = {
        "versions": diagnosis.versions(),
        "disabled": environment.disable,
        "ledger": environment.ledger,
        "seams": [{**seam, "state": states.get(seam["feature"], "not installed")} for seam in seams],
        "rules": _rules(environment) if _current is None else _current.manager.status(),
    }
    return {**report, "problems": diagnosis.problems(report)}


def _rules(environment: settings.Settings) -> Dict[str, Any]:
    try:
        return _manager(environment.config, environment).status()
    except RuleError as error:
        path = None if environment.config is None else str(environment.config)
        return {"path": path, "problems": [str(problem) for problem in error.problems]}


def _manager(config: Any, environment: settings.Settings) -> FlagManager:
    if config is None:
        pairs = own_pairs.declared().values()
        names = [seam.feature for seam in SEAMS if seam.effect_free] + [p.name for p in pairs if p.pair.effect_free]
        return FlagManager.default(names, overrides=environment.flag_overrides, disabled=environment.disable)
    return FlagManager.from_file(config, overrides=environment.flag_overrides, disabled=environment.disable)


@functools.cache
def _watch_imports() -> None:
    """Once a process: import hooks cannot be taken back, so they ask for the installation in force when they run."""
    own_pairs.when_declared(_connect_to_current)
    for module in ("litellm", *entry_points.MODULES, *(seam.module for seam in SEAMS)):
        wrapt.register_post_import_hook(_imported, module)


def _imported(module: ModuleType) -> None:
    """Runs inside somebody's `import litellm`, which must not fail because of what is done here."""
    _imported_modules.add(module.__name__)
    try:
        if _current is not None:
            _current.refresh()
    except Exception as error:
        events.logger("accel").error(events.SEAM_FAILED, module=module.__name__, exception_class=type(error).__name__)


def _litellm_is_imported() -> bool:
    """Half-way through its import not all functions are there to be found. A hook runs at the very end of an import."""
    return "litellm" in _imported_modules


def _connect_to_current(pair: Feature) -> None:
    if _current is not None:
        _current.connect(pair)
