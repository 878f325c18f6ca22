"""The page as text: complete, escaped, and in need of nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from fast_litellm.shadow.dashboard.model import Entry, Picture, Step
from fast_litellm.shadow.dashboard.page import MARKS, policy, render

HOSTILE = "</style><script>alert(1)</script>\"'><img src=//evil.example onerror=alert(2)>{{7*7}}"


class Elements(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def attributes(self, name):
        """All values of one attribute."""
        return [attributes[name] for _, attributes in self.found if name in attributes]

    def tags(self):
        """The names of all elements."""
        return {tag for tag, _ in self.found}


def test_the_same_picture_is_the_same_page(picture):
    """Nothing of the page comes from a clock or from chance."""
    assert render(picture) == render(picture)


def test_everything_is_in_the_one_file(picture):
    """No element of the page names anything outside it."""
    elements = Elements(render(picture))

    assert {"link", "style", "svg"} <= elements.tags()
    assert not elements.tags() & {"script", "img", "iframe", "object", "form"}
    assert [] == [value for value in elements.attributes("href") if not value.startswith(("#", "data:,"))]
    assert [] == elements.attributes("src") == elements.attributes("style")


def test_every_link_leads_somewhere(picture):
    """Each anchor is the identifier of one element."""
    elements = Elements(render(picture))
    identifiers = elements.attributes("id")
    targets = [value[1:] for value in elements.attributes("href") if value.startswith("#")]

    assert len(identifiers) == len(set(identifiers))
    assert len(targets) > len(picture.features)
    assert set(targets) <= set(identifiers)
    assert set(elements.attributes("aria-labelledby")) <= set(identifiers)


@pytest.mark.parametrize("live", [False, True])
def test_whatever_people_have_written_is_text(picture, live):
    """A feature, a reason, an actor, a path, a class name and a shed reason may be anything."""
    first = picture.features[1]
    hostile = replace(
        first,
        name=HOSTILE,
        stage=HOSTILE,
        build=HOSTILE,
        facts={HOSTILE: HOSTILE},
        rail=(Step(HOSTILE, "present"),),
        served={HOSTILE: 3},
        account=replace(first.account, shed={HOSTILE: 3}),
        classes=(replace(first.classes[0], kind=HOSTILE, pattern=HOSTILE, control=HOSTILE, cells=(HOSTILE,)),),
        checks=(replace(first.checks[3], name=HOSTILE, saw=HOSTILE, needs=HOSTILE, missing=HOSTILE),),
        audit=(Entry(0, HOSTILE, HOSTILE, HOSTILE),),
    )
    text = render(Picture(0, HOSTILE, (hostile,), problem=HOSTILE), live=live)

    assert text.count("{{7*7}}") >= 15
    assert text.count("<script>") == live
    assert "<img" not in text
    assert "onerror=alert(2)>" not in text
    assert Elements(text).tags() <= Elements(render(picture, live=live)).tags()


@pytest.mark.parametrize("live", [False, True])
def test_the_policy_names_what_the_page_holds(picture, live):
    """The digests in it are those of the page's style and script, and nothing else is allowed."""
    text = render(picture, live=live)
    parts = re.findall(r"<(style|script)>(.*?)</\1>", text, flags=re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for _, part in parts]

    assert 1 + live == len(parts)
    assert digests == re.findall(r"sha256-([^']+)'", policy(live=live))
    assert policy(live=live).startswith("default-src 'none'; ")


def test_every_state_has_a_sign_and_a_word(picture):
    """What colour says is also said without it."""
    text = render(picture)

    assert len({MARKS[state] for state in ("certified", "collecting", "unseen", "diverged")}) == 4
    for state in ("blocked", "canary", "shadow", "on", "off", "certified", "collecting", "never seen", "diverged"):
        assert re.search(rf"\b{state}\b", text)


def test_the_identity_is_shown_and_checked(picture):
    """A call that is not accounted for is said in words."""
    first = picture.features[1]
    broken = replace(first, account=replace(first.account, offered=first.account.offered + 7))

    assert "600,000 = 27,998 sampled out + 571,402 compared + 598 shed + 2 in flight" in render(picture)
    assert "600,007 calls were offered, 600,000 are accounted for" in render(replace(picture, features=(broken,)))


def test_a_ledger_that_cannot_be_read_is_a_page_too():
    """It says so, and what to do."""
    text = render(Picture(0, "ledger.db", problem="The ledger cannot be read: it is locked"))

    assert "The ledger cannot be read: it is locked" in text
    assert "fast-litellm run" in text
    assert "<table" not in text
