"""Rollouts of candidates that must not be promoted, judged by the gate itself after every few inputs."""

from __future__ import annotations

import random

from fast_litellm.accel.native import Shaper
from fast_litellm.shadow.evidence import Account, ClassEvidence, Evidence, ShapeEvidence
from fast_litellm.shadow.gate import Gate, Step
from fast_litellm.shadow.observation import Epoch
from fast_litellm.shadow.policy import Policy

ROLLOUTS = 1_000
RATE, LEVEL = 0.05, 0.2
BOUND = {"rate": RATE, "alpha": LEVEL}
GATE = Gate(
    Policy.of(
        {
            "divergence": BOUND,
            "cells": BOUND,
            "pairs": BOUND,
            "timeouts": {"rate": 0.5, "alpha": 0.5},
            "latency": "none",
            "bake": 0.0,
        }
    )
)
WORD = Shaper("plain").shape(("word",), {})


def judge(matched, accepted, diverged):
    """The gate's word on so many inputs, of which some differ."""
    count = matched + accepted + diverged
    account = Account(offered=count, matched=matched, waived=accepted, diverged=diverged)
    classes = (ClassEvidence("f", "value", "confirmed", diverged),) if diverged else ()
    shapes = (ShapeEvidence(WORD, {}, account, count),)
    found = Evidence(Epoch("f", "1"), "plain", 0.0, account, shapes, classes, hosts=1, processes=1)
    return GATE.judge(found, Step(), 0.0).decision


def rollout(draw, *, is_accepted):
    """The last decision on a candidate that differs as often as the bound says, within 200 inputs."""
    matched, differing = 0, 0
    for count in range(1, 201):
        if draw.random() < RATE:
            differing += 1
        else:
            matched += 1
        if count % 10 and (is_accepted or not differing):
            continue
        decision = judge(matched, *((differing, 0) if is_accepted else (0, differing)))
        if decision != "hold":
            return decision
    return "hold"


def test_a_candidate_at_the_limit_is_promoted_as_rarely_as_the_level_says():
    """All others are taken back at their first divergence."""
    draw = random.Random(2026)
    ends = [rollout(draw, is_accepted=False) for _ in range(ROLLOUTS)]
    promoted = ends.count("promote") / ROLLOUTS

    assert 0.5 * LEVEL < promoted <= LEVEL + 0.04, f"{promoted} promoted at {RATE}, level {LEVEL}"
    assert ROLLOUTS == ends.count("promote") + ends.count("roll_back")


def test_accepting_every_difference_does_not_raise_the_level():
    """Whoever waives all that comes has not made the candidate any better."""
    draw = random.Random(2026)
    ends = [rollout(draw, is_accepted=True) for _ in range(300)]
    promoted = ends.count("promote") / 300

    assert 0 < promoted <= LEVEL + 0.07, f"{promoted} promoted at {RATE}, level {LEVEL}"
    assert 0 == ends.count("roll_back")
