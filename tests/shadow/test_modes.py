"""The place where a mode is chosen."""

from __future__ import annotations

import pytest

from fast_litellm.accel.native import Observer
from fast_litellm.shadow import Limits, modes
from fast_litellm.shadow.inline import Inline
from fast_litellm.shadow.isolation import Isolated


async def later(value):
    return value


@pytest.mark.parametrize("mode", modes.MODES)
def test_only_isolation_puts_the_candidate_elsewhere(make_runner, mode):
    """Whether it is awaited or not."""
    for function in (abs, later):
        runner = make_runner(function, function, limits=Limits(mode=mode))
        assert (mode == "isolated") == isinstance(runner.trial._isolated, Isolated)


def test_only_plain_functions_are_run_inline(make_runner):
    """Both sides of a coroutine function would have to be awaited in the caller's task."""
    inline, awaited, plain = (
        modes.observer(make_runner(function, function, limits=Limits(mode=mode)))
        for function, mode in [(abs, "inline"), (later, "inline"), (abs, "off_path")]
    )
    assert isinstance(inline.__self__, Inline)
    assert isinstance(plain, Observer)
    assert "observe" == awaited.func.__name__


def test_the_words_are_those_of_the_rules():
    """A rule file's mode is given to the runner as it stands."""
    assert ("off_path", "inline", "isolated") == modes.MODES
    assert modes.MODES[0] == Limits().mode


def test_another_word_is_refused():
    """The error lists what there is."""
    with pytest.raises(ValueError, match="one of off_path, inline, isolated, not 'thread'"):
        Limits(mode="thread")
