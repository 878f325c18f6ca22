"""`fast-litellm minimise CLASS`: a divergence as a failing test, with nothing of anybody's content."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fast_litellm.cli import console, evidence, pairs

if TYPE_CHECKING:
    from fast_litellm.accel.replaying import Place
    from fast_litellm.shadow.candidate import Call


@click.command(name="minimise")
@click.argument("name", metavar="CLASS")
@pairs.module_option
@pairs.tries_option
@click.option("--out", metavar="FILE", help="Where to write; - is standard output. By default test_FEATURE_CLASS.py.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def command(name: str, modules: tuple[str, ...], tries: int, out: str | None, force: bool) -> None:
    """
    Write a pytest file that fails as a divergence class does, and passes once the candidate is right.

    CLASS is the beginning of a fingerprint. Calls are made up from the shapes of the class's samples until one differs
    in the same way; then parts of that one are left out, and its numbers made smaller, for as long as it still does.
    """
    from fast_litellm.shadow import repro

    record: dict[str, Any] = evidence.ledger().show(name)
    target = Path(out or repro.name(record))
    if target.exists() and not force and out != "-":
        console.fail(f"{target} is there already; --force replaces it", exit_code=2)
    words: Counter[str] = Counter()
    call = _found(pairs.of(record, modules), record, tries, words)
    if call is None:
        console.fail(_nothing(record, tries, words["other"]))
    text = repro.write(record, call, modules)
    if out == "-":
        console.write(text.rstrip())
        return
    console.save(target, text)
    console.write(str(target))
    console.hint(f"run it with `pytest {target}`")


def _found(places: list[Place], record: dict[str, Any], tries: int, words: Counter[str]) -> Call | None:
    """The smallest call at the first of the pairs that differs. What else calls came to is counted."""
    from fast_litellm.shadow import replay

    wanted = replay.Wanted.of(record)
    for place in places:
        run = place.replay(is_isolated=replay.is_isolated(record))
        try:
            call = replay.first(run, replay.made_up(place.experiment.profile, record, tries), wanted, words)
            if call is not None:
                return replay.smallest(run, call, wanted)
        finally:
            run.close()
    return None


def _nothing(record: dict[str, Any], tries: int, others: int) -> str:
    if not any(sample.get("shape") for sample in record["samples"]):
        return "no sample of this class tells the shape of its call, so none can be made up"
    if others:
        return f"none of {tries:,} made-up calls differs as in this class, but {others:,} differ in another way"
    return f"none of {tries:,} made-up calls differs as in this class: it hangs on content, or this build is right"
