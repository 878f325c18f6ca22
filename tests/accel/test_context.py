"""Who a call belongs to."""

from __future__ import annotations

import asyncio
import threading

import fast_litellm
from fast_litellm.accel.context import CallContext, current


def test_nothing_is_known_outside_a_scope():
    """Without a scope there is no unit, so percentages serve Python."""
    assert CallContext(None, {}) == current.get()


def test_a_scope_sets_unit_and_attributes_and_ends():
    """Inside the block the context holds, after it the outer one does."""
    with fast_litellm.context(unit="user-1", attributes={"team": "a"}):
        inside = current.get()

    assert CallContext("user-1", {"team": "a"}) == inside
    assert CallContext(None, {}) == current.get()


def test_an_inner_scope_adds_to_the_outer_one():
    """Attributes are joined, the inner value wins, and a unit that is not given is kept."""
    outer = fast_litellm.context(unit="user-1", attributes={"team": "a", "model": "gpt-4"})
    with outer, fast_litellm.context(attributes={"model": "gpt-4o"}) as inner:
        pass

    assert CallContext("user-1", {"team": "a", "model": "gpt-4o"}) == inner


def test_a_scope_ends_when_its_block_raises():
    """An exception inside the block leaves nothing behind."""
    try:
        with fast_litellm.context(unit="user-1"):
            raise LookupError
    except LookupError:
        pass

    assert CallContext(None, {}) == current.get()


def test_tasks_do_not_see_each_others_scope():
    """Two tasks in one loop keep their own units."""

    async def unit_of(name: str) -> str | None:
        with fast_litellm.context(unit=name):
            await asyncio.sleep(0)
            return current.get().unit

    async def both() -> list[str | None]:
        return list(await asyncio.gather(unit_of("a"), unit_of("b")))

    assert ["a", "b"] == asyncio.run(both())


def test_a_thread_starts_without_a_unit():
    """A plain thread inherits nothing, so it is never attributed to somebody else's call."""
    seen = []
    with fast_litellm.context(unit="user-1"):
        thread = threading.Thread(target=lambda: seen.append(current.get().unit))
        thread.start()
        thread.join()

    assert [None] == seen
