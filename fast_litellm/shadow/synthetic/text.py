"""
Random text of one Unicode class.
"""

from __future__ import annotations

from random import Random
from typing import Dict

_WORDS = "abcdefghijklmnopqrstuvwxyz" * 3 + "ETAOIN 0123456789 .,;:!?'\n" + " " * 12

ALPHABETS: Dict[str, str] = {
    "latin1": "éèüöäßñçåø",
    "cjk": "日本語中文字한국어カタカナ",
    "rtl": "שלוםעולםمرحبا",
    "combining": "\u0301\u0308\u0327\u200d\ufe0f",
    "astral": "👍🏽🎉𝒳𐍈🚀",
    "surrogate": "\ud800\udc00\udfff",
    "control": "\x00\x07\x1b\x7f\x85",
    "special_token": "",
    "other": "हिन्दीไทยабвгд",
}
"""The characters that put a text into a class, for every class but "ascii"."""

_SPECIAL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|fim_prefix|>")


def text(unicode_class: str, size: int, draw: Random) -> str:
    """
    Args:
        unicode_class: A word of the dimension `unicode`; an unknown one is "ascii".
        size: How many characters.
        draw: Where they are drawn from.

    Returns:
        Exactly so many characters, the first of them of the class if there is room for any.
    """
    if unicode_class == "special_token":
        return (draw.choice(_SPECIAL_TOKENS) + _ascii(size, draw))[:size]
    rare = ALPHABETS.get(unicode_class, "")
    if not rare:
        return _ascii(size, draw)
    share = draw.choice((0.05, 0.5, 1.0))
    characters = (draw.choice(rare) if draw.random() < share else draw.choice(_WORDS) for _ in range(size - 1))
    return (draw.choice(rare) + "".join(characters))[:size]


def size(word: str, draw: Random) -> int:
    """
    Args:
        word: A word of the dimension `size`, such as "64-127".
        draw: Where the number is drawn from.

    Returns:
        A number in that range; at most 262,143, because a longer text would take minutes to make.
    """
    least, _, most = word.partition("-")
    return draw.randint(min(int(least), 2**17), min(int(most or least), 2**18 - 1))


def _ascii(count: int, draw: Random) -> str:
    return "".join(draw.choices(_WORDS, k=count))
