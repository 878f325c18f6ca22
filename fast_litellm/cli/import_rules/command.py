"""`fast-litellm import --from ENGINE FILE`: another engine's rules, written as ours."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, Mapping, Optional, Tuple

import click
import yaml

from fast_litellm.cli import console
from fast_litellm.cli.import_rules import flagd, growthbook, unleash, writer
from fast_litellm.cli.import_rules.draft import Listing, NotCarriedError, valid_name
from fast_litellm.flags import FlagManager

if TYPE_CHECKING:
    from fast_litellm.cli.import_rules.draft import Draft

_TITLES = {"unleash": "Unleash", "growthbook": "GrowthBook", "flagd": "flagd"}
_ENGINES: Dict[str, Tuple[Callable[..., Dict[str, Any]], Callable[..., Draft], str]] = {
    "unleash": (unleash.flags, unleash.converted, unleash.HASH),
    "growthbook": (growthbook.flags, growthbook.converted, growthbook.HASH),
    "flagd": (flagd.flags, flagd.converted, flagd.HASH),
}

_WORDS = {
    "unleash": {"enabled", "strategies"},
    "growthbook": {"defaultValue", "rules"},
    "flagd": {"state", "variants", "defaultVariant"},
}
"""What an engine's flags consist of: a file without any of it is somebody else's, be it one of our own."""


@click.command(name="import")
@click.option("--from", "engine", type=click.Choice(list(_ENGINES)), required=True, help="The engine the file is for.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the rules here.")
@click.option("--strict", is_flag=True, help="Exit with 1 when anything is listed.")
@click.option("--flagd-text", is_flag=True, help="The flagd in use hashes text: one from before it hashed CBOR.")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@console.json_option
@click.pass_context
def command(context: click.Context, /, file: Path, engine: str, output: Optional[Path], **switches: bool) -> None:
    """
    Write another engine's flags as a rule file in which every unit keeps its side.

    FILE is Unleash's client features, GrowthBook's SDK payload or flagd's flag definitions. What cannot be carried over
    exactly is left out, so that Python answers it, and is listed on standard error.
    """
    listing = Listing()
    rules = _converted(engine, _loaded(file), listing, as_text=switches["flagd_text"])
    if output is not None:
        console.save(output, rules)
    if switches["as_json"]:
        left_out = [asdict(entry) for entry in listing.entries]
        console.print_json({"from": engine, "rules": rules, "left_out": left_out})
    else:
        if output is None:
            console.write(rules.rstrip("\n"))
        _say(listing)
    context.exit(1 if switches["strict"] and listing.entries else 0)


def _loaded(file: Path) -> Dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
        # JSON may be indented by tabs, which YAML refuses.
        document = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        console.fail(f"{file} is neither JSON nor YAML: {error}")
    if not isinstance(document, Mapping):
        console.fail(f"{file}: expected a mapping, got {type(document).__name__}")
    return dict(document)


def _converted(engine: str, document: Dict[str, Any], listing: Listing, *, as_text: bool) -> str:
    flags, converted, hash_name = _ENGINES[engine]
    read = partial(flags, as_text=as_text) if engine == "flagd" else flags
    carried: Dict[str, Any] = {}
    try:
        for written, definition in _recognised(engine, read(document)).items():
            listing.flag = written
            with listing.leaving_out("the flag is not in the rules"):
                name = valid_name(written, listing)
                if name in carried:
                    raise NotCarriedError("name", f'another flag is called "{name}" already')
                carried[name] = converted(written, definition, listing).mapping()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        place = f'flag "{listing.flag}"' if listing.flag else "the file"
        reason = f"{place} does not have {_TITLES[engine]}'s form: {type(error).__name__}"
        console.fail(reason, f"is the file really {_TITLES[engine]}'s?")
    text = writer.written(_TITLES[engine], hash_name, carried)
    # A file that names flags it does not have, say, is told so here and not when it is deployed.
    FlagManager.from_dict(yaml.safe_load(text))
    return text


def _recognised(engine: str, definitions: Dict[str, Any]) -> Dict[str, Any]:
    if definitions and not any(_WORDS[engine] & set(definition) for definition in definitions.values()):
        raise KeyError(*sorted(_WORDS[engine]))
    return definitions


def _say(listing: Listing) -> None:
    for entry in listing.entries:
        console.say(f"{entry.flag}: {entry.element}: {entry.reason}; {entry.meaning}")
    if count := len(listing.entries):
        console.say(f"{count} thing{'s' * (count > 1)} not carried over as before")
