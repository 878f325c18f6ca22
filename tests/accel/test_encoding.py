"""
Native token counts against tiktoken and LiteLLM themselves.

tests/vectors/encoding.json holds texts and their counts for the Rust tests too. Its numbers are checked here against
the live originals; after an upgrade that changes one, the failing assertion names the case and the count to write.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import tiktoken
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fast_litellm.accel.native import Encoding

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "encoding.json").read_text(encoding="utf-8"))
# LiteLLM names the file of an encoding by the SHA-1 of the address tiktoken would fetch it from.
FILES = {
    "cl100k_base": "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
    "o200k_base": "fb374d419588a4632f3f557e76b4b70aebbca790",
    "p50k_base": "ec7223a39ce59f226a68acc30dc1af2788490e15",
}
LITELLM = Path(importlib.util.find_spec("litellm").submodule_search_locations[0])
VOCABULARIES = LITELLM / "litellm_core_utils" / "tokenizers"

# Whatever a pattern treats in its own way, to be put together at random.
FRAGMENTS = [
    *("'s", "'S", "'\u017f", "'ll", "'LL", "'re", "'Ve", "'d", "'m", "'T", "'", "\u2019s"),
    *(" ", "  ", "   ", "\n", "\r", "\r\n", "\t", "\u00a0", "\u2003", "\u3000", "\u0085", "\u200b", "\ufeff"),
    *("/", "//", "!", "?!", "...", "_", "-", "\u2014", '{"', '":', "\x00", "\x7f"),
    *("a", "B", "word", "Word", "WORD", "wORd", "1", "12", "1234", "\u00bd", "\u0663", "\u2167"),
    *("\u00e9", "e\u0301", "\u0301", "\u0300\u0302", "\u02b0", "\u00aa"),
    *("\u01c5", "\u00df", "\u0130", "\u017f", "\u212a"),
    *("\u4e2d", "\u6587\u5b57", "\u3042", "\u30a2", "\ud55c\uad6d", "\u1100\u1161", "\u0e01\u0e33", "\u0915\u094d"),
    *("\U0001f600", "\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "\U0001d49c", "\U00010400", "\U00010428"),
    *("\ud800", "\udc00", "\ud83d\ude00", "<|endoftext|>", "<|fim_prefix|>", "<|endofprompt|>"),
    *("A\u0301B", "\u0301AB", "\u0301Ab", "\u02b0AB", "AB\u02b0C", "AB\u4e2dC", "Ab\u4e2dC"),
]
any_text = st.text(st.characters(), max_size=60)  # unlike st.text(), characters() makes surrogates too
fragments = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.characters()), max_size=12).map("".join)
# The properties compare with a slow original and share fixtures that do not change.
compared = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@pytest.fixture(scope="module", params=FILES)
def name(request):
    """The name of each encoding in turn."""
    return request.param


@pytest.fixture(scope="module")
def encoding(name):
    """The native encoding."""
    return Encoding.from_tiktoken(name, (VOCABULARIES / FILES[name]).read_bytes())


@pytest.fixture(scope="module")
def expected(name):
    """The count of tiktoken's encoding of the same name, read from the same file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(VOCABULARIES))
        original = tiktoken.get_encoding(name)
    return lambda text: len(original.encode_ordinary(text))


@pytest.fixture(scope="module")
def expected_chunked(expected):
    """The count of LiteLLM's own rule on top of tiktoken."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        from litellm.litellm_core_utils import token_counter

    def count(text, chunk_chars, max_exact_chars):
        exactly = token_counter._get_tiktoken_count_function(expected, chunk_chars)
        return token_counter._get_extrapolating_count_function(exactly, max_exact_chars)(text)

    return count


def text_of(case):
    """The text of a vector."""
    if "code_points" in case:
        return "".join(map(chr, case["code_points"]))
    return case["text"] * case.get("repeat", 1)


@pytest.mark.parametrize("case", VECTORS["whole"], ids=lambda case: ascii(text_of(case))[:40])
def test_vectors_of_whole_texts(case, name, encoding, expected):
    """A vector holds what tiktoken counts, and the native count is the same."""
    text = text_of(case)
    assert (expected(text), expected(text)) == (case[name], encoding.count(text))


@pytest.mark.parametrize("case", VECTORS["chunked"], ids=lambda case: ascii(text_of(case))[:40])
def test_vectors_of_chunked_texts(case, name, encoding, expected_chunked):
    """A vector holds what LiteLLM counts, and the native count is the same."""
    arguments = text_of(case), case["chunk_chars"], case["max_exact_chars"]
    count = expected_chunked(*arguments)
    assert (count, count) == (case[name], encoding.count_chunked(*arguments))


@compared
@given(text=st.one_of(any_text, fragments))
def test_any_text_counts_as_in_tiktoken(text, encoding, expected):
    """Text from all planes, lone surrogates and awkward neighbours included, has tiktoken's count."""
    assert expected(text) == encoding.count(text)


@compared
@given(text=st.text("\n\r\t \u00a0\u3000\u2028a!1", max_size=30))
def test_whitespace_counts_as_in_tiktoken(text, encoding, expected):
    """Every mixture of whitespace and newlines, at the start, the end and between words, has tiktoken's count."""
    assert expected(text) == encoding.count(text)


@compared
@given(
    text=fragments,
    repeat=st.integers(1, 40),
    chunk_chars=st.integers(1, 70),
    max_exact_chars=st.one_of(st.integers(1, 40), st.integers(1, 2000)),
)
def test_any_chunk_rule_counts_as_in_litellm(text, repeat, chunk_chars, max_exact_chars, encoding, expected_chunked):
    """Cut anywhere, even through emoji or surrogate pairs, and estimated from few samples, text has LiteLLM's count."""
    arguments = text * repeat, chunk_chars, max_exact_chars
    assert expected_chunked(*arguments) == encoding.count_chunked(*arguments)


def test_every_character_counts_as_in_tiktoken(encoding, expected):
    """Each code point there is, beside letters of both cases, digits, spaces and marks, has tiktoken's count."""
    for first in range(0, sys.maxunicode + 1, 16):
        text = "".join(f"{c}a {c}A{c}1{c}" for c in map(chr, range(first, first + 16)))
        assert expected(text) == encoding.count(text), hex(first)


@pytest.mark.parametrize("character", ["a", " ", "\n", "=", "0", "\u4e2d", "\U0001f600", "\u0301"], ids=ascii)
def test_runs_of_one_character_count_as_in_tiktoken(character, encoding, expected):
    """A run of one character has tiktoken's count at every length up to 300 and where the merge changes its ways."""
    for length in [*range(300), 1000, 1023, 1024, 1025, 4096, 5000]:
        text = character * length
        assert expected(text) == encoding.count(text), length


def test_what_stands_at_the_end_of_a_window_counts_as_in_tiktoken(encoding, expected):
    """Whatever the native scanner looks at in one go, each awkward neighbour counts the same at every place in it."""
    for fragment in FRAGMENTS:
        for before in range(50, 68):
            text = "ab " * (before // 3) + "x" * (before % 3) + fragment + "Word's end\n  it"
            assert expected(text) == encoding.count(text), text


def test_a_million_letters_count_as_in_tiktoken(encoding, expected):
    """One piece of a million characters is counted exactly, and not in quadratic time."""
    text = "a" * 1_000_000
    assert expected(text) == encoding.count(text)


@pytest.mark.parametrize("pattern", ["**/*.py", "**/*.json"])
def test_files_count_as_in_tiktoken(pattern, encoding, expected, expected_chunked):
    """Code and data as LiteLLM ships them have tiktoken's count, and LiteLLM's when cut into its slices."""
    files = sorted(LITELLM.glob(pattern))[::40][:60]
    assert files
    for file in files:
        text = file.read_text(encoding="utf-8")[:30_000]
        assert expected(text) == encoding.count(text), file.name
        assert expected_chunked(text, 1024, 4_000_000) == encoding.count_chunked(text, 1024, 4_000_000), file.name


def test_more_than_four_million_characters_are_estimated_as_in_litellm(encoding, expected_chunked):
    """At LiteLLM's limit every slice is counted; one character more, and the same samples give the same estimate."""
    text = "".join(f"{number} caf\u00e9s, \u4e2d\u6587 {number:x}\n" for number in range(220_000))
    assert len(text) > 4_000_001
    for length in (4_000_000, 4_000_001, len(text)):
        arguments = text[:length], 1024, 4_000_000
        assert expected_chunked(*arguments) == encoding.count_chunked(*arguments)


def test_a_subclass_of_str_is_counted_by_what_it_holds(encoding, expected):
    """A string whose class overrides its methods counts as the characters it holds, lone surrogates included."""

    class Loud(str):
        __slots__ = ()

        def __str__(self):
            return "something else altogether"

        def encode(self, *_):
            return b"something else altogether"

    for text in ("one two", "one \ud800 two"):
        assert expected(text) == encoding.count(Loud(text))


def test_threads_count_independently(encoding, expected):
    """Many threads that count different texts at once each get their own text's count."""
    texts = [f"{number} words, {'ab' * number} and {chr(0x4E00 + number)}" * 40 for number in range(200)]
    with ThreadPoolExecutor(8) as threads:
        assert list(map(expected, texts)) == list(threads.map(encoding.count, texts))


def test_it_tells_its_name(name, encoding):
    """An encoding knows the name it was made for."""
    assert (name, f"<Encoding {name!r}>".replace("'", '"')) == (encoding.name, repr(encoding))


def test_another_encoding_is_refused():
    """The name of an encoding without a known pattern is an error that lists the known ones."""
    with pytest.raises(ValueError, match=r'unknown encoding "gpt2": expected cl100k_base, o200k_base, p50k_base, r50k'):
        Encoding.from_tiktoken("gpt2", b"")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"YQ== 0\nYWI= one\n", "line 2: expected the rank behind the space to count up from 0"),
        (b"YQ== 0\n???? 1\n", "line 2: expected a base64 token before the space"),
        (b"<html>", "line 1: expected a base64 token, a space and a rank"),
        (b"YQ== 0\n", "cl100k_base has 100256 tokens, the file has 1"),
    ],
)
def test_a_damaged_vocabulary_is_refused(data, message):
    """A file that is not the vocabulary of the encoding is an error that names the line, or what is missing."""
    with pytest.raises(ValueError, match=f"^{message}$"):
        Encoding.from_tiktoken("cl100k_base", data)


@pytest.mark.parametrize("lengths", [(0, 1), (1, 0)])
def test_a_chunk_rule_without_length_is_refused(lengths, encoding):
    """A slice or a limit of no characters is an error, not an endless loop."""
    with pytest.raises(ValueError, match="zero"):
        encoding.count_chunked("text", *lengths)
