"""`fast-litellm replay CLASS`: does the candidate still differ?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from fast_litellm.cli import captured, console, evidence, pairs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fast_litellm.accel.replaying import Place
    from fast_litellm.shadow.candidate import Call
    from fast_litellm.shadow.replay import Seen

EXIT_DIFFERS = 1
_DIFFERENT = ("same", "other")
_COMPARED = ("matched", "noise", *_DIFFERENT)


@click.command(name="replay")
@click.argument("name", metavar="CLASS")
@pairs.module_option
@pairs.tries_option
@captured.key_option
@console.json_option
def command(name: str, modules: tuple[str, ...], tries: int, key: str | None, as_json: bool) -> int:
    """
    Run a divergence class again, with the candidate that is installed here, and say whether it still differs.

    CLASS is the beginning of a fingerprint. The calls are made up from the shapes of the class's samples; with --key,
    the calls that were captured for it are run as well. Nothing of a call is printed. Exit status: 0 when calls were
    compared and none differs, 1 when one does or none could be compared.
    """
    record: dict[str, Any] = evidence.ledger().show(name)
    calls = captured.calls(record, key) if key else []
    if record["captured"] and not key:
        console.say(f"{record['captured']:,} captured call(s) are left out")
        console.hint("name the private key that opens them with --key")
    runs = [_run(place, record, tries, calls) for place in pairs.of(record, modules)]
    if as_json:
        console.print_json({"fingerprint": record["fingerprint"], "differs": _differs(runs), "places": runs})
    else:
        _print(record, runs)
    return 0 if _differs(runs) is False else EXIT_DIFFERS


def _run(place: Place, record: dict[str, Any], tries: int, calls: list[Call]) -> dict[str, Any]:
    from fast_litellm.shadow import replay

    run = place.replay(is_isolated=replay.is_isolated(record))
    wanted = replay.Wanted.of(record)
    try:
        made_up = replay.made_up(place.experiment.profile, record, tries)
        return {
            "place": place.name,
            "build": place.experiment.candidate.build,
            "made_up": _counts(run(call, wanted) for call in made_up),
            "captured": _counts(run.captured(call, wanted) for call in calls),
        }
    finally:
        run.close()


def _counts(seen: Iterable[Seen]) -> dict[str, int]:
    return dict(Counter(each.word for each in seen))


def _differs(runs: list[dict[str, Any]]) -> bool | None:
    """Whether any call differs; None when none could be compared."""
    words: Counter[str] = Counter()
    for run in runs:
        words.update(run["made_up"])
        words.update(run["captured"])
    if not any(words[word] for word in _COMPARED):
        return None
    return any(words[word] for word in _DIFFERENT)


def _print(record: dict[str, Any], runs: list[dict[str, Any]]) -> None:
    console.write(f"divergence class {record['fingerprint']} of {record['feature']}, build {record['candidate_build']}")
    for run in runs:
        console.write("")
        fields = {"place": run["place"], "build": run["build"]}
        fields.update({name.replace("_", " "): _sentence(run[name]) for name in ("made_up", "captured") if run[name]})
        console.print_fields(fields)
    console.write("")
    console.write(_verdict(record, runs))


def _sentence(words: dict[str, int]) -> str:
    names = {"same": "differ as before", "other": "differ in another way", "matched": "match"}
    parts = [f"{count:,} {names.get(word, word.replace('_', ' '))}" for word, count in sorted(words.items())]
    return f"{sum(words.values()):,} calls: {', '.join(parts)}"


def _verdict(record: dict[str, Any], runs: list[dict[str, Any]]) -> str:
    differs = _differs(runs)
    if differs is None:
        return "nothing could be compared, which says nothing"
    if differs:
        return "the candidate still differs"
    is_new = all(run["build"] != record["candidate_build"] for run in runs)
    return f"no call differs{', with another build than the one that did' if is_new else ''}"
