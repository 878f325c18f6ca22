"""
The same counting by other tokenizers that install from PyPI: fresh text, on the pieces that LiteLLM counts in.

Each is raced against ours, and first has to count as tiktoken does. Those that are not installed (extra `[bench]`) have
no row, and standard error says so.
"""

from __future__ import annotations

import functools
import importlib
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Callable

from fast_litellm.cli import console
from fast_litellm.cli.bench.corpus import PIECES
from fast_litellm.cli.bench.row import Goal, Measure, Row, Statement
from fast_litellm.cli.bench.rows.encoding import native_encoding
from fast_litellm.cli.reference import import_litellm

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENCODINGS = {
    "cl100k_base": "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
    "o200k_base": "fb374d419588a4632f3f557e76b4b70aebbca790",
}
"""With the file of each that LiteLLM brings."""

_KINDS = ("prose", "code")
_SAMPLE = 64

Peer = Callable[[Any, Path], Statement]
"""Makes the peer's way to count `item`, from tiktoken's encoding and the file of its vocabulary."""


def rows() -> Iterator[Row]:
    """
    Yields:
        A row for every peer that is installed, encoding and kind of text.
    """
    package = Path(import_litellm().__file__).parent
    import litellm.litellm_core_utils.default_encoding  # noqa: F401 - tells tiktoken where LiteLLM's vocabularies are
    import tiktoken

    directory = package / "litellm_core_utils" / "tokenizers"
    for module, peer in _PEERS.items():
        try:
            importlib.import_module(module)
        except ImportError:
            console.say(f"{module} is not installed: pip install 'fast-litellm[bench]' has it raced, too")
            continue
        for name, file in _ENCODINGS.items():
            original = tiktoken.get_encoding(name)
            theirs = peer(original, directory / file)
            for kind in _KINDS:
                yield _row(f"{kind}, {name}, {module}", kind, theirs, original)


def _row(name: str, kind: str, theirs: Statement, original: Any) -> Row:
    random = Random(kind)  # noqa: S311 - two runs count the same texts

    def items(count: int) -> list[str]:
        return [PIECES[kind](random) for _ in range(count)]

    return Row(
        name,
        theirs=theirs,
        ours=Statement("count(item)", {"count": native_encoding(original).count}),
        goal=Goal(Measure.SPEEDUP, 1),
        difference=functools.partial(_difference, theirs, original.encode_ordinary, items(_SAMPLE)),
        items=items,
    )


def _difference(theirs: Statement, encode: Callable[[str], list[int]], sample: list[str]) -> str:
    counts = [eval(theirs.source, {"item": text, **theirs.names}) for text in sample]  # noqa: S307 - our own lines
    wrong = sum(len(encode(text)) != count for text, count in zip(sample, counts))
    return f"it counts {wrong} of {len(sample)} texts unlike tiktoken" if wrong else ""


def _quicktok(original: Any, _: Path) -> Statement:
    import quicktok

    return Statement("count(item)", {"count": quicktok.get_encoding(original.name).count})


def _splintr(original: Any, _: Path) -> Statement:
    import splintr

    return _encoding(splintr.Tokenizer.from_pretrained(original.name).encode_ordinary)


def _fastokens(original: Any, file: Path) -> Statement:
    from fastokens._native import Tokenizer

    return _encoding(Tokenizer.from_tiktoken(str(file), original._pat_str, {}).encode_ordinary)  # noqa: SLF001 - public nowhere


def _gigatoken(original: Any, file: Path) -> Statement:
    import gigatoken

    scheme = {"cl100k_base": "gpt4", "o200k_base": "o200k"}[original.name]
    return _encoding(gigatoken.Tokenizer.from_tiktoken(file, scheme).encode)


def _encoding(encode: Callable[[str], Any]) -> Statement:
    return Statement("len(encode(item))", {"encode": encode})


_PEERS: dict[str, Peer] = {
    "quicktok": _quicktok,
    "splintr": _splintr,
    "fastokens": _fastokens,
    "gigatoken": _gigatoken,
}
