"""
`doctor`: is everything here that is needed, and is it known?
"""

from __future__ import annotations

import platform
import sys
from collections import Counter
from importlib import metadata
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from fast_litellm import settings
from fast_litellm.accel import fingerprint, names, native, references
from fast_litellm.accel.patching import held
from fast_litellm.accel.seams import SEAMS, Seam, exists

_WRONG_STATES = ("failed", "foreign_wrapper", "replaced")
PACKAGES = ("litellm", "litellm-core", "openai", "tiktoken")


def versions() -> Dict[str, Optional[str]]:
    """Returns the versions of everything that decides how a call is answered; None for what is not installed."""
    return {
        "fast-litellm": native.VERSION,
        "build": native.BUILD,
        "python": platform.python_version(),
        "platform": f"{sys.platform} {platform.machine()}",
        **{package: _version(package) for package in PACKAGES},
    }


def seams() -> List[Dict[str, Any]]:
    """Imports what the seams are in, and says of each whether the installed reference is known."""
    return [_seam(seam, fingerprint.fingerprint(seam.sources)) for seam in SEAMS]


def seams_of(version: str) -> List[Dict[str, Any]]:
    """
    Say of each seam in LiteLLM itself whether a release of it is known, without having it.

    Args:
        version: A LiteLLM release, such as "1.109.1".
    """
    return [
        {
            "feature": seam.feature,
            "seam": seam.place,
            "package": seam.package,
            "exists": seam.since is None or references.is_since(version, seam.since),
            "superseded": seam.superseded_by is not None
            and references.is_since(version, references.NATIVE_ROUTER_SINCE),
            "litellm": version,
            "known": version in references.versions(seam.feature, seam.name),
            "releases": references.versions(seam.feature, seam.name),
        }
        for seam in SEAMS
        if seam.package == "litellm"
    ]


def problems(report: Dict[str, Any]) -> List[str]:
    """Returns what is wrong in a doctor's report, in words, each with what to do."""
    found = []
    if native.DEBUG_BUILD:
        found.append("the compiled part is a debug build; install a release wheel")
    if report["versions"]["litellm"] is None and report["versions"]["litellm-core"] is None:
        found.append("litellm is not installed; `pip install litellm`")
    found.extend(_unknown(report, is_wanted=True))
    rules = report.get("rules", {})
    found.extend(rules.get("problems", []))
    because = rules.get("stops", {}).get("because")
    if rules.get("path") and because:
        found.append(f"a pause does not reach every process of this host: {because}")
    return [*found, *_problems_at_run_time(report), *_misspelt()]


def notes(report: Dict[str, Any]) -> List[str]:
    """Returns what is worth knowing and no problem, in words: what stays Python that no rule asks for, for one."""
    left = [_left(feature, count) for feature, count in report.get("replaced", {}).items()]
    return [*_unknown(report, is_wanted=False), *left, *_unknown_flags(), *_misspelt_flags(report.get("rules", {}))]


def replaced(features: Mapping[str, Dict[str, Any]]) -> Dict[str, int]:
    """Returns, by feature, how many calls were left to Python because its reference is not what it was."""
    declined = {name: it["declined"].get("reference_patched", 0) for name, it in features.items()}
    return {name: count for name, count in declined.items() if count}


def _left(feature: str, count: int) -> str:
    return (
        f"{feature} left {count} call(s) to Python: something that it relies on was replaced or loaded again since the"
        f" installation; install() again takes up what is there now"
    )


def _unknown(report: Dict[str, Any], *, is_wanted: bool) -> List[str]:
    missing = (it for it in report["seams"] if it["exists"] and not it["known"] and not it.get("superseded"))
    chosen = (seam for seam in missing if _is_wanted(report.get("rules", {}), seam["feature"]) is is_wanted)
    alike: Dict[Tuple[str, str, str], List[str]] = {}
    for seam in chosen:
        known = references.in_short(seam["releases"])
        alike.setdefault((seam["feature"], seam["package"], known), []).append(seam["seam"].rpartition(".")[2])
    places = Counter(seam["feature"] for seam in report["seams"] if seam["exists"])
    return [_stays_python(*what, seams if len(seams) < places[what[0]] else []) for what, seams in alike.items()]


def _is_wanted(rules: Dict[str, Any], feature: str) -> bool:
    """Whether the rules give or compare calls of a feature; of rules that cannot be read nobody knows."""
    flags = rules.get("flags")
    return flags is None or flags.get(feature, {}).get("stage", "off") != "off"


def _stays_python(feature: str, package: str, known: str, seams: List[str]) -> str:
    """The seams are named where they are not all of the feature."""
    where = f" in {', '.join(seams)}" if seams else ""
    return (
        f"{feature} stays Python{where}: this {package}'s source is not one the candidate is known to equal"
        f" (known: {known})"
    )


def _problems_at_run_time(report: Dict[str, Any]) -> Iterator[str]:
    for seam in report["seams"]:
        if seam.get("state") in _WRONG_STATES:
            failure = f" ({seam['failure']})" if seam["failure"] else ""
            yield f"{seam['feature']} is {seam['state']}{failure}: {seam['meaning']}"
    if report.get("rules", {}).get("lease_ended"):
        yield "nothing is heard from the ledger, so no candidate answers until it is (FAST_LITELLM_LEASE)"
    for feature in report.get("unasked", ()):
        yield f"the ledger has not said yet whether {feature} is blocked; it is asked every second until it does"
    if report.get("ledger_failures"):
        yield f"the ledger could not be used {report['ledger_failures']} time(s); counters wait in memory until it can"
    for operation, count in report.get("machinery", {}).items():
        yield f"comparing failed {count} time(s) in {operation}; callers were not affected"
    for name, count in report.get("lost_events", {}).items():
        yield f"{count} log event(s) were lost because the program's logging raised {name}"


def _misspelt() -> Iterator[str]:
    for name, known in settings.unknown_names():
        yield f"nothing reads the variable {name}" + (f"; did you mean {known}?" if known else "; unset it")


def _unknown_flags() -> Iterator[str]:
    """What the environment decides for flags that are nobody's here; a program may still ask for one itself."""
    for flag in sorted(settings.read().flag_overrides.keys() - names.known()):
        near = names.meant(flag)
        meant = f"; did you mean {settings.FLAG_PREFIX}{near.upper()}?" if near else ""
        yield f"no feature has the name in {settings.FLAG_PREFIX}{flag.upper()}{meant}"


def _misspelt_flags(rules: Dict[str, Any]) -> Iterator[str]:
    """What a rule file decides for a name that is almost a feature's; a program may have declared it, though."""
    declared = dict(rules.get("flags") or {})
    for flag in sorted(declared.keys() - settings.read().flag_overrides.keys()):
        near = names.meant(flag)
        if near:
            yield f"the rules declare {flag}, and no feature has that name; did you mean {near}?"


def _seam(seam: Seam, found: Optional[str]) -> Dict[str, Any]:
    reference = references.known(seam.feature, found)
    return {
        "feature": seam.feature,
        "seam": seam.place,
        "package": seam.package,
        # LiteLLM's proxy asks for more packages, and not every release has every function.
        "exists": exists(seam.module) and held(sys.modules.get(seam.module), seam.name)[2] is not None,
        "superseded": seam.is_superseded,
        "fingerprint": found,
        "known": reference is not None,
        "semantics": reference.semantics if reference else None,
        "releases": references.versions(seam.feature, seam.name),
    }


def _version(package: str) -> Optional[str]:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
