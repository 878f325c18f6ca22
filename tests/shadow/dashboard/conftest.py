"""A picture with everything in it, and the browser that looks at it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fast_litellm.shadow.dashboard.model import (
    Cell,
    CellMap,
    Dimension,
    Entry,
    FeaturePicture,
    Finding,
    Matrix,
    Picture,
    Point,
    Requirement,
    Speed,
    Step,
)
from fast_litellm.shadow.evidence import Account

NOON = 1_764_158_400.0  # 2025-11-26 12:00 UTC
HOUR = 3_600.0
PLAN = ("shadow", "1%", "5%", "25%", "50%", "on")


def rail(present):
    """The plan with one of its steps reached."""
    reached = PLAN.index(present)
    states = ["passed" if at < reached else "present" if at == reached else "ahead" for at in range(len(PLAN))]
    return tuple(Step(label, state) for label, state in zip(PLAN, states))


def requirement(name, saw, needs, missing="", seconds_left=None):
    """A line of the checklist; it holds when nothing is missing."""
    return Requirement(name, not missing, saw, needs, missing, seconds_left)


def checklist():
    """Two of eight are open."""
    return (
        requirement("divergence", "below 0.00081%", "below 0.001%"),
        requirement("classes", "0 open", "0 open"),
        requirement("timeouts", "0 in 568,214", "below 0.01%"),
        requirement("cells", "212 of 220", "every cell", "1,204 distinct inputs in unicode=rtl & tools=one", 11_400),
        requirement("complete", "0.03% not compared", "at most 1%"),
        requirement("latency", "0.16 of Python's time", "at most 1.0"),
        requirement("bake", "21 h", "24 h", "3 h", 10_800),
        requirement("hosts", "2", "1"),
    )


CERTIFIED = Cell("certified", 3_120, 299)
COLLECTING = Cell("collecting", 120, 299)
DIVERGED = Cell("diverged", 41, 299, 3)


def cell_map(*, diverged=False):
    """Every state a cell can have."""
    scripts = ("ascii", "latin1", "cjk", "rtl", "astral", "combining", "control")
    contents = ("text", "text,image", "tool_result", "list", "none")
    cells = tuple(
        tuple(
            Cell()
            if row + column > 8
            else COLLECTING
            if row * column > 5
            else DIVERGED
            if diverged and row == column == 1
            else CERTIFIED
            for column in range(len(scripts))
        )
        for row in range(len(contents))
    )
    ones = {name: Cell("certified", 41_000 // (at + 1), 2_995) for at, name in enumerate(scripts)}
    ones.update(rtl=Cell("collecting", 1_791, 2_995), control=Cell("collecting", 12, 2_995))
    families = {name: Cell("certified", 9_000, 2_995) for name in ("gpt-4o", "gpt-4", "claude", "llama", "other")}
    return CellMap(
        212,
        220,
        (
            Dimension("family", families),
            Dimension("unicode", ones),
            Dimension("tools", {"none": Cell("certified", 88_000, 2_995), "one": Cell("collecting", 1_204, 2_995)}),
        ),
        (
            Matrix("content", "unicode", contents, scripts, cells),
            Matrix("tools", "unicode", ("none",), ("ascii",), ((CERTIFIED,),)),
        ),
    )


def canary():
    """A feature on its way, with everything that can be known of it."""
    return FeaturePicture(
        "token_counting",
        "canary",
        "9f3c21d07a4e",
        {"reference": "litellm 1.106.2", "comparator": "exact/1", "rules": "5b0d1c"},
        rail("5%"),
        {"python": 536_122, "rust": 28_216},
        "hold",
        checklist(),
        compared=571_402,
        distinct=568_214,
        diverged=0,
        bound=8.1e-6,
        target=1e-5,
        cells=cell_map(),
        speed=Speed(6.2, 1_204, (0.982, 0.996), 0.002),
        classes=(
            Finding(
                "b02c" * 8,
                "exception_class",
                "$",
                "KeyError",
                "ValueError",
                "waived",
                12,
                NOON - 9 * HOUR,
                NOON - HOUR,
                ("tools=one",),
            ),
        ),
        account=Account(600_000, 27_998, 571_390, 12, 0, 2, {"budget": 560, "memory": 38}),
        audit=(
            Entry(NOON - HOUR, "1% -> 5%", "auto", "every check held"),
            Entry(NOON - 2 * HOUR, "waive b02cb02c", "ops", "the control's own mistake, reported upstream"),
        ),
        progress=tuple(Point(NOON - (40 - at) * HOUR, 4.6 / (50 + 350 * at**2)) for at in range(41)),
        opened_at=NOON - 40 * HOUR,
    )


def blocked():
    """A feature whose candidate has differed."""
    return FeaturePicture(
        "cost_calculation",
        "blocked",
        "77aa01",
        {"reference": "litellm 1.106.2", "comparator": "exact/1", "rules": "5b0d1c"},
        rail("1%"),
        {"python": 90_000, "rust": 410},
        "roll_back",
        (requirement("classes", "1 open", "0 open", "another build"),),
        compared=51_204,
        distinct=49_000,
        diverged=3,
        bound=3.1e-4,
        target=1e-5,
        cells=cell_map(diverged=True),
        classes=(
            Finding(
                "a91f" * 8,
                "value",
                "$.tokens",
                "int",
                "int",
                "confirmed",
                3,
                NOON - HOUR,
                NOON - 600,
                ("content=text,image",),
            ),
        ),
        account=Account(51_300, 0, 51_201, 0, 3, 0, {"budget": 96}),
        audit=(Entry(NOON - HOUR, "1% -> blocked", "auto", "a91fa91f"),),
        opened_at=NOON - 9 * HOUR,
    )


def sample():
    """A picture of five features in different states."""
    waiting = FeaturePicture(
        "request_transform",
        "shadow",
        "17",
        rail=rail("shadow"),
        served={"python": 41_200},
        decision="hold",
        checks=(requirement("divergence", "below 0.011%", "below 0.001%", "418,300 distinct inputs", 190_000),),
        compared=42_215,
        distinct=41_990,
        bound=1.1e-4,
        target=1e-5,
        cells=CellMap(140, 187),
        account=Account(42_215, 0, 42_215),
        opened_at=NOON,
    )
    done = replace(
        waiting,
        name="secret_redaction",
        stage="on",
        rail=rail("on"),
        served={"rust": 990_000, "python": 40},
        checks=checklist()[:2],
        bound=6.7e-6,
        cells=CellMap(31, 31),
    )
    fresh = FeaturePicture("routing", "off", rail=rail("shadow"))
    return Picture(
        NOON,
        "ledger.db",
        (blocked(), canary(), waiting, done, fresh),
        processes=16,
        silent=0,
        hosts=2,
        heard_at=NOON - 1,
    )


@pytest.fixture
def picture():
    """A picture of five features in different states."""
    return sample()
