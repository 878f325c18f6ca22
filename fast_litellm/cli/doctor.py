"""`fast-litellm doctor`: is everything here that is needed, and is this LiteLLM known?"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

import fast_litellm
from fast_litellm.cli import console, evidence
from fast_litellm.cli.reference import import_litellm
from fast_litellm.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Mapping

_RELEASE = re.compile(r"\d+(\.\d+)+\S*")


@click.command(name="doctor")
@click.option(
    "--litellm", "version", metavar="VERSION", help="Ask about this LiteLLM release instead of the installed one."
)
@console.json_option
@click.pass_context
def command(context: click.Context, version: str | None, as_json: bool) -> None:
    """
    Check the environment.

    Versions, the compiled part, each seam's reference, the rule file and the ledger. Exit status 1 when something is
    wrong, 3 when a feature is blocked. That a feature stays Python on this LiteLLM is wrong only where the rules ask
    for it.
    """
    if version is not None and not _RELEASE.fullmatch(version):
        raise click.BadParameter(f"expected a release such as 1.106.2, got {version!r}", param_hint="--litellm")
    if version is None:
        with suppress(ImportError):  # the report says that it is not installed
            import_litellm()  # first, so that its price list is not fetched from the network
    report = fast_litellm.doctor(litellm=version)
    if version is not None and not any(seam["known"] for seam in report["seams"]):
        report["notes"].insert(0, f"LiteLLM {version} is no release that this package knows")
    report["ledger"] = _ledger()
    report["problems"] = [*report["problems"], *filter(None, [report["ledger"]["problem"]])]
    if as_json:
        console.print_json({"ok": not (report["problems"] or report["ledger"]["blocked"]), **report})
    else:
        _show(report)
    for problem in report["problems"]:
        console.error(problem)
    for note in report["notes"]:
        console.note(note)
    for name in report["ledger"]["blocked"]:
        console.error(f"{name} is blocked: Python answers every call")
        console.hint(f"see what differed with `fast-litellm divergences {name}`")
    if report["problems"] or report["ledger"]["blocked"]:
        context.exit(evidence.EXIT_BLOCKED if report["ledger"]["blocked"] else 1)


def _ledger() -> dict[str, Any]:
    address = evidence.address()
    try:
        is_there = not evidence.absence()
        features = evidence.opened().status()["features"]
    except LedgerError as error:
        return {"address": address, "features": [], "blocked": [], "problem": str(error), "is_there": True}
    blocked = [name for name, feature in features.items() if feature["stage"] == "blocked"]
    found = {"address": address, "features": list(features), "blocked": blocked, "problem": None}
    return {**found, "is_there": is_there}


def _show(report: Mapping[str, Any]) -> None:
    versions = {name: found or "not installed" for name, found in report["versions"].items()}
    ledger = report["ledger"]
    readable = f"{len(ledger['features'])} feature(s)" if ledger["is_there"] else "not there yet"
    readable = "unreadable" if ledger["problem"] else readable
    console.print_fields(
        {
            **versions,
            "kill switch": "on" if report["disabled"] else "off",
            "rules": _rules(report["rules"]),
            "pauses": _stops(report["rules"].get("stops", {})),
            "ledger": f"{ledger['address']}, {readable}",
        }
    )
    console.output().print()
    console.output().print(_seams(report["seams"]))


def _rules(rules: Mapping[str, Any]) -> str:
    if rules.get("path") is None and not rules.get("problems"):
        return "no rule file: every effect-free seam runs in shadow"
    problems = len(rules.get("problems", ()))
    return f"{rules.get('path') or 'environment'}, {f'{problems} problem(s)' if problems else 'ok'}"


def _stops(stops: Mapping[str, Any]) -> str:
    reach = f"shared on this host by {stops['path']}" if stops.get("path") else "of each process alone"
    return f"{reach} ({stops['because']})" if stops.get("because") else reach


def _seams(seams: list[Mapping[str, Any]]) -> Any:
    table = console.table(("feature", "seam and its reference"))
    for seam in seams:
        mark = seam.get("fingerprint") or seam.get("litellm") or "no source"
        table.add_row(seam["feature"], f"{seam['seam']}\n{mark}, {_standing(seam)}")
    return table


def _standing(seam: Mapping[str, Any]) -> str:
    if not seam["exists"]:
        return "not in this release"
    if seam["superseded"]:
        return "LiteLLM's own native router answers"
    return "known" if seam["known"] else "unknown, so Python answers"
