"""Objects of pydantic's model classes, compared by all that they are made of."""

from __future__ import annotations

from typing import Any, Optional

import pydantic
import pytest

from fast_litellm.errors import Unsnapshotable
from fast_litellm.shadow import comparators
from fast_litellm.shadow.comparators import models


class Inner(pydantic.BaseModel, extra="allow"):
    """A part."""

    a: Optional[int] = None
    b: Any = None


class Outer(pydantic.BaseModel, extra="allow"):
    """A whole with a private attribute."""

    inner: Any = None
    _hidden: Any = None


class Other(Inner):
    """Equal in all but its class."""


def outer(hidden: Any = None, **inner: Any) -> Outer:
    """A whole around a part."""
    made = Outer(inner=[Inner(**inner)], x={"y": 1})
    made._hidden = hidden
    return made


def test_equal_objects_match():
    """In every part."""
    assert models(outer(a=1, c=[1], hidden={"k": 1}), outer(a=1, c=[1], hidden={"k": 1})) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (outer(a=1), outer(a=2)),
        (outer(a=None), outer()),  # whether a field was set
        (outer(c=1), outer(c=True)),
        (outer(c=1, d=2), outer(d=2, c=1)),  # in which order extras are dumped
        (outer(b={"x": 1, "y": 2}), outer(b={"y": 2, "x": 1})),
        (outer(hidden=1), outer(hidden=2)),
        (outer(b=Inner()), outer(b=Other())),
        (outer(b=Inner()), outer(b=dict(Inner()))),
        (Inner(), None),
    ],
)
def test_any_difference_is_found(one, other):
    """What `==` and `repr` do not tell, too; and both ways."""
    assert models(one, one) is None
    assert models(one, other) is not None
    assert models(other, one) is not None


def test_a_snapshot_does_not_change_with_its_object():
    """What is kept of an answer is compared with another answer later."""
    answer = outer(a=1, c=[1])
    kept = comparators.snapshot(models, answer, 1 << 20)
    answer.inner[0].c.append(2)
    answer.inner[0].a = 5

    assert models(kept, outer(a=1, c=[1])) is None
    assert models(kept, answer) is not None


def test_a_path_shows_the_parts_of_a_model_only():
    """Names of fields are keys like others, and keys are content."""
    found = models(outer(a=1), outer(a=2))

    assert ("value", ["fields", "inner", "fields", "a"]) == (
        found.kind,
        [it.key for it in found.path if hasattr(it, "key")],
    )
    assert models.known_keys == {"class", "fields", "fields_set", "extra", "private"}


def test_what_is_neither_plain_nor_a_model_is_not_compared():
    """And a snapshot has a largest size."""
    with pytest.raises(Unsnapshotable, match="object"):
        comparators.snapshot(models, outer(b=object()), 1 << 20)
    with pytest.raises(Unsnapshotable, match="size"):
        comparators.snapshot(models, outer(b="x" * 5000), 1000)
    with pytest.raises(Unsnapshotable, match="Inner"):
        comparators.snapshot(comparators.exact, Inner(), 1 << 20)
