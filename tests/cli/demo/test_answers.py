"""What the demo's server says."""

from __future__ import annotations

import pytest

from fast_litellm.cli.demo.answers import answer


def request(text):
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": text}]}


def test_the_same_request_gets_the_same_answer():
    """Nothing but the request decides, so two runs of the demo hear the same words."""
    assert answer(request("hello")) == answer(request("hello"))


def test_different_requests_get_different_answers():
    """The answer depends on the messages, so traffic of many kinds gets answers of many lengths."""
    assert len({answer(request(str(number))).content for number in range(100)}) > 90


@pytest.mark.parametrize("number", range(10))
def test_the_pieces_of_an_answer_joined_are_the_whole(number):
    """A stream loses and adds nothing."""
    given = answer(request(str(number)))

    assert given.content == "".join(given.pieces())


def test_a_request_without_tools_is_never_answered_with_a_call():
    """Only offered tools are called."""
    assert not any(answer(request(str(number))).tool_call for number in range(50))
