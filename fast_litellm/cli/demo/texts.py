"""
The words of the demo's traffic, written for it: prose, code, JSON, many scripts, emoji, long documents.
"""

# ruff: noqa: RUF001 - letters that look like others are the point of these texts

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

_SUBJECTS = (
    "the harbour pilot",
    "our night ferry",
    "a retired cartographer",
    "the lighthouse",
    "every second gull",
    "my aunt's kiosk",
)
_VERBS = ("refuses to explain", "quietly repairs", "has outlived", "still counts", "will never insure", "translates")
_OBJECTS = (
    "the lower deck",
    "nineteen umbrellas",
    "a map of the fog",
    "its own timetable",
    "the 1987 regatta",
    "three kinds of rope",
)
_ENDINGS = (".", "?", "!", "...", "; it's what they'd expect.", " - don't ask.", ", or so we'll say.", ":\n\n")

_SCRIPTS = (
    "Die Fähre fährt größtenteils rückwärts, weil’s dem Kapitän so gefällt.",
    "L’été dernier, la marée a emporté vingt-trois parapluies… et un préfet.",
    "Паром опаздывает на семь минут, но чай уже остыл.",
    "Το φως του φάρου μετράει μέχρι το εννέα και ξεχνάει.",
    "渡し船は霧の中で三度鳴き、猫だけが返事をした。",
    "灯塔管理员把雾画成地图,然后寄给了海。",
    "등대는 아홉까지 세고 나서 처음부터 다시 센다.",
    "العبّارة تصل متأخرة، لكن القهوة لا تنتظر أحدًا.",
    "המעבורת מאחרת, והשחפים כבר יודעים.",
    "नाव धीरे चलती है, पर घड़ी उससे भी धीरे।",
    "เรือข้ามฟากมาช้าเจ็ดนาที แต่ฝนมาก่อนเวลา",
    "Phà đến muộn bảy phút, còn mưa thì đến sớm.",
    "Gemi yedi dakika gecikti, ışık ise hiç uyumadı.",
    "Łódź płynie źle, żółw śpiewa głośniej niż syrena.",
)
_EMOJI = ("🚢", "🐈‍⬛", "👩🏽‍🚀", "🇫🇮🇯🇵", "☔️", "❤️‍🔥", "🧭", "👨‍👩‍👧‍👦", "1️⃣", "🫧", "é̂", "𝔉𝔬𝔤", "ﷺ", "\u200b", "\u00a0")
_CODE = (
    (
        'def tide(height: float, *, hours: int = 6) -> float:\n    """Metres after some hours."""\n'
        "    return height * 0.5 ** (hours / 12)  # half each tide\n"
    ),
    (
        "fn berth(ships: &mut Vec<Ship>) -> Option<usize> {\n"
        "    ships.iter().position(|ship| !ship.moored && ship.draft < 4.2)\n}\n"
    ),
    (
        "SELECT pier, COUNT(*) AS boats\nFROM moorings\nWHERE left_at IS NULL AND fee >= 12.50\n"
        "GROUP BY pier\nHAVING COUNT(*) > 3;\n"
    ),
    "for (const lamp of lamps) {\n\tif (!lamp?.lit) { await relight(lamp, { retries: 3 }); }\n}\n",
    '#!/bin/sh\nset -eu\nls -1 logs/*.txt | while read -r f; do gzip -9 "$f" && echo "$f done" >&2; done\n',
)


def prose(random: Random, sentences: int) -> str:
    """
    Args:
        random: Where the choices come from.
        sentences: How many.

    Returns:
        English sentences with contractions, numbers and line breaks.
    """
    return " ".join(_sentence(random) for _ in range(sentences))


def _sentence(random: Random) -> str:
    words = f"{random.choice(_SUBJECTS)} {random.choice(_VERBS)} {random.choice(_OBJECTS)}"
    return words.capitalize() + random.choice(_ENDINGS)


def code(random: Random) -> str:
    """
    Returns:
        A question about one or two pieces of source code, fenced as in Markdown.
    """
    pieces = random.sample(_CODE, random.randint(1, 2))
    return "Why is this slow?\n\n" + "\n".join(f"```\n{piece}```" for piece in pieces)


def document(random: Random) -> dict[str, object]:
    """
    Returns:
        A nested JSON document.
    """
    boats = [
        {
            "id": random.getrandbits(40),
            "name": random.choice(_SUBJECTS),
            "draft_m": round(random.random() * 9, 3),
            "crew": None,
        }
        for _ in range(random.randint(1, 8))
    ]
    return {
        "pier": random.randint(1, 40),
        "open": random.choice((True, False)),
        "boats": boats,
        "note": prose(random, 1),
    }


def structured(random: Random) -> str:
    """
    Returns:
        A JSON document as text, compact or indented.
    """
    return json.dumps(document(random), indent=random.choice((None, 2)), ensure_ascii=random.choice((True, False)))


def scripts(random: Random) -> str:
    """
    Returns:
        Sentences of several writing systems on one line.
    """
    return " ".join(random.sample(_SCRIPTS, random.randint(2, 5)))


def emoji(random: Random) -> str:
    """
    Returns:
        Words with joined emoji, flags, combining marks and invisible spaces between them.
    """
    words = prose(random, 2).split(" ")
    return " ".join(word + random.choice(_EMOJI) * random.randint(0, 3) for word in words)


def long_document(random: Random) -> str:
    """
    Returns:
        6,000 to 30,000 characters: LiteLLM counts text in pieces of 1,024, so these cross that border many times.
    """
    target = random.randint(6_000, 30_000)
    parts: list[str] = []
    length = 0
    while length < target:
        part = random.choice((prose(random, 8), code(random), structured(random), scripts(random)))
        parts.append(part)
        length += len(part)
    return "\n\n".join(parts)
