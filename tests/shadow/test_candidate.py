"""A plain function as a candidate."""

from __future__ import annotations

from fast_litellm.shadow import FunctionCandidate


def test_a_function_is_run_with_the_arguments_of_the_call():
    """The function gets the call's arguments, and its value is the candidate's."""
    candidate = FunctionCandidate(lambda *args, **kwargs: (args, kwargs), "build-7")
    plan = candidate.prepare((1,), {"two": 2})
    assert ((1,), {"two": 2}) == candidate.run(plan, (1,), {"two": 2})
    assert "build-7" == candidate.build
