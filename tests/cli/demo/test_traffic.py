"""The demo's traffic generator."""

from __future__ import annotations

import json
from collections import Counter

from fast_litellm.cli.demo.traffic import KINDS, MODELS, calls


def test_the_same_seed_gives_the_same_calls():
    """Two runs of the demo send the same traffic."""
    assert calls(7, 200, 20) == calls(7, 200, 20)


def test_another_seed_gives_other_calls():
    """Each act has traffic of its own."""
    assert calls(7, 200, 20) != calls(8, 200, 20)


def test_users_take_turns():
    """Every user makes the same number of calls, so that each one's stickiness is seen equally often."""
    assert {10} == set(Counter(call.user for call in calls(7, 200, 20)).values())


def test_every_kind_model_and_door_is_there():
    """Even the smallest act meets every kind of message, every model, and every way into LiteLLM."""
    traffic = calls(1, 400, 50)

    assert set(KINDS) == {call.kind for call in traffic}
    assert set(MODELS) == {call.model for call in traffic}
    assert 16 == len({(call.router, call.asynchronous, call.stream, call.usage_reported) for call in traffic})


def test_every_call_can_be_sent_as_json():
    """Messages and tools hold nothing that HTTP could not carry."""
    traffic = calls(3, 400, 50)

    assert traffic
    assert all(json.dumps([call.messages, call.tools], ensure_ascii=False).encode() for call in traffic)


def test_long_documents_cross_many_chunk_borders():
    """They are longer than several of the 1,024-character pieces in which LiteLLM counts."""
    long = [call for call in calls(5, 400, 50) if call.kind == "long documents"]

    assert long
    assert all(len(call.messages[-1]["content"]) > 5 * 1024 for call in long)


def test_tools_are_offered_exactly_where_the_kind_says_so():
    """Tool definitions travel with the kinds that use them."""
    with_tools = {call.kind for call in calls(2, 400, 50) if call.tools}

    assert {"tools", "tool calls"} == with_tools
