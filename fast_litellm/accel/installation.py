"""
Install and uninstall: which seams are patched, by which rules, with which evidence.
"""

from __future__ import annotations

import functools
import os
import threading
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Set

import wrapt

from fast_litellm import events, settings
from fast_litellm.accel import capturing, diagnosis, entry_points, own_pairs, patching, rules
from fast_litellm.accel.attachment import EXPLANATIONS, Attachment, together
from fast_litellm.accel.evidence import Evidence
from fast_litellm.accel.feature import Feature, tally
from fast_litellm.accel.seams import SEAMS
from fast_litellm.errors import RuleError
from fast_litellm.flags import FlagManager
from fast_litellm.shadow import machinery

if TYPE_CHECKING:
    from types import ModuleType

    from fast_litellm.accel.attachment import CandidateFactory
    from fast_litellm.accel.patching import Patch
    from fast_litellm.accel.seams import Seam

_lifecycle = threading.RLock()
"""Held while one installation takes another's place: stopping joins threads that may be waiting for `_lock`."""
_lock = threading.RLock()
"""Held for moments: what is in force, and what stands at the seams."""
_NOT_INSTALLED = {"state": "not installed", "meaning": "", "failure": None}
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
        self.attachments = [self._attachment(seam, candidates.get(seam.feature, seam.candidate)) for seam in SEAMS]
        self._entry_patches: List[Patch] = []
        self._pairs: Dict[str, Feature] = {}
        self._refreshing = False
        self._stopped = False

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
        with _lock:
            if not self._stopped:
                pair.connect(self.manager, self.evidence.runner(pair, self.manager, labels))
                self._pairs[pair.name] = pair
                self.evidence.keep(pair)

    def stop(self) -> None:
        """Puts the original objects back and flushes the evidence, for good: it cannot be started again."""
        with _lock:  # whoever refreshes or connects has finished, and nobody does so again
            self._stopped = True
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
            if self._stopped or self._refreshing:
                return
            self._refreshing = True
            try:
                for pair in self._pairs.values():
                    self.evidence.rules_changed(pair, self.manager, functools.partial(self._labels, pair))
                self._refresh_seams()
            finally:
                self._refreshing = False

    def _refresh_seams(self) -> None:
        for attachment in self.attachments:
            if _is_imported(attachment.seam.package):
                attachment.refresh()
        are_attached = any(attachment.is_attached for attachment in self.attachments)
        self._wrap_entry_points(wanted=are_attached and _is_imported("litellm"))

    def features(self) -> Dict[str, Dict[str, Any]]:
        """Returns what each feature has done in this process, by name."""
        names = dict.fromkeys(attachment.seam.feature for attachment in self.attachments)
        seams = {name: {**self._facts(name), **tally(name).reading()} for name in names}
        pairs = {pair.name: {**self._labels(pair), **pair.tally.reading()} for pair in self._pairs.values()}
        return {name: {**it, "latency": self.evidence.latency(name)} for name, it in {**seams, **pairs}.items()}

    def states(self) -> Dict[str, Dict[str, Any]]:
        """Returns the state of each seam by its place, what it means, and what went wrong."""
        return {
            it.seam.place: {"state": it.state, "meaning": EXPLANATIONS[it.state], "failure": it.failure}
            for it in self.attachments
        }

    def _attachment(self, seam: Seam, factory: CandidateFactory) -> Attachment:
        labels = functools.partial(self._facts, seam.feature)
        return Attachment(seam, self.manager, self.evidence, factory, labels)

    def _facts(self, feature: str) -> Dict[str, Any]:
        return together([it.facts() for it in self.attachments if it.seam.feature == feature])

    def _labels(self, pair: Feature) -> Dict[str, Any]:
        return {
            "stage": rules.stage(self.manager, pair.name),
            "seam": pair.place,
            "state": "patched",
            "patched": True,
            "failure": None,
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
        LedgerError: FAST_LITELLM_LEDGER names no ledger that can be used.
        MissingExtraError: The environment asks for captured calls, and the package that seals them is not installed.
    """
    environment = settings.read()
    if environment.disable:  # the kill switch works whatever else is wrong
        uninstall()
        return
    manager = rules.in_force(config)
    evidence = Evidence(environment.ledger, capturing.captor(environment), lease=environment.lease_seconds)
    _replace(Installation(manager, evidence, candidates or {}))


def uninstall() -> None:
    """Put back the identical original objects and flush the evidence. Without an installation it does nothing."""
    _replace(None)


def _replace(successor: Optional[Installation]) -> None:
    """One at a time, so that what one installation restores is never what another has just put in place."""
    global _current
    with _lifecycle:
        with _lock:
            predecessor, _current = _current, None
        if predecessor is not None:
            predecessor.stop()
        if successor is not None:
            _watch_imports()
            with _lock:
                _current = successor
            try:
                successor.start()
            except BaseException:
                uninstall()  # half an installation is none
                raise


def status() -> Dict[str, Any]:
    """
    Say what each feature has done in this process; `fast-litellm status` adds up all processes.

    Counters begin with the process and go on through every installation. A state is what stands at the seam while it is
    asked for.

    Returns:
        `{"installed": bool, "rules": {...}, "features": {NAME: {"stage", "seam", "state", "patched", "failure",
        "fingerprint", "served", "declined", "failed", "offered", "sampled_out", "compared", "matched", "waived",
        "diverged", "shed", "in_flight", "latency"}}}`; failure is the class of what a candidate raised instead of being
        made, latency what each side took of the calls that were compared under the present rules.
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
        `{"versions": {...}, "disabled": bool, "ledger": str, "seams": [{"feature", "seam", "package", "exists",
        "fingerprint", "known", "semantics", "state", "meaning", "failure"}], "rules": {...}, "unasked": [feature],
        "ledger_failures": int, "replaced": {feature: count}, "machinery": {operation and class: count}, "lost_events":
        {class: count}, "problems": [text], "notes": [text]}`; no problems means all is well. Notes say what is worth
        knowing, such as what stays Python that no rule asks for.
    """
    environment = settings.read()
    installation = _current
    states = {} if installation is None else installation.states()
    seams = diagnosis.seams() if litellm is None else diagnosis.seams_of(litellm)
    report: Dict[str, Any] = {
        "versions": diagnosis.versions(),
        "disabled": environment.disable,
        "ledger": environment.ledger_shown,
        "seams": [{**seam, **states.get(seam["seam"], _NOT_INSTALLED)} for seam in seams],
        "rules": _rules(environment) if installation is None else installation.manager.status(),
    }
    report["unasked"] = [] if installation is None else installation.evidence.unasked
    report["ledger_failures"] = 0 if installation is None else installation.evidence.failures
    report["replaced"] = {} if installation is None else diagnosis.replaced(installation.features())
    report["machinery"], report["lost_events"] = machinery.failures(), dict(events.lost)
    return {**report, "problems": diagnosis.problems(report), "notes": diagnosis.notes(report)}


def _rules(environment: settings.Settings) -> Dict[str, Any]:
    try:
        return rules.in_force().status()
    except RuleError as error:
        path = None if environment.config is None else str(environment.config)
        return {"path": path, "problems": [str(problem) for problem in error.problems]}


@functools.cache
def _watch_imports() -> None:
    """Once a process: import hooks cannot be taken back, so they ask for the installation in force when they run."""
    own_pairs.when_declared(_connect_to_current)
    seams = (name for seam in SEAMS for name in (seam.package, seam.module))
    for module in dict.fromkeys(("litellm", *entry_points.MODULES, *seams)):
        wrapt.register_post_import_hook(_imported, module)


def _imported(module: ModuleType) -> None:
    """Runs inside somebody's `import litellm`, which must not fail because of what is done here."""
    _imported_modules.add(module.__name__)
    installation = _current
    try:
        if installation is not None:
            installation.refresh()
    except Exception as error:
        events.tell("accel", "error", events.SEAM_FAILED, module=module.__name__, exception_class=type(error).__name__)


def _is_imported(package: str) -> bool:
    """Half-way through its import not all functions are there to be found. A hook runs at the very end of an import."""
    return package in _imported_modules


def _connect_to_current(pair: Feature) -> None:
    installation = _current
    if installation is not None:
        installation.connect(pair)


def _begin_in_child() -> None:
    """A lock that another thread held at the fork would never be released here."""
    global _lifecycle, _lock
    _lifecycle, _lock = threading.RLock(), threading.RLock()


if hasattr(os, "register_at_fork"):  # absent where there is no fork
    os.register_at_fork(after_in_child=_begin_in_child)
