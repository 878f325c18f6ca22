"""
Twenty wrong token counters. Each is made from the reference and differs from it in one respect.

The first eight are the mistakes that an earlier project served to its callers: it was right on plain text, and wrong on
nearly every shape of a chat.
"""

from __future__ import annotations

import zlib

MUTANTS = {}
Panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})
PER_MESSAGE = 3


def planted(make):
    """Adds a maker of wrong candidates to the corpus."""
    MUTANTS[make.__name__] = make
    return make


def messages_of(call):
    """The messages of a call, if it has any."""
    return call.get("messages") or []


def texts_of(call):
    """Every text in the contents of a call."""
    contents = [call.get("text"), *(message.get("content") for message in messages_of(call))]
    parts = [part.get("text") for content in contents if isinstance(content, list) for part in content]
    return [text for text in (*contents, *parts) if isinstance(text, str)]


def has_part(call, kind):
    """Whether a message has a part of a kind."""
    contents = [message.get("content") for message in messages_of(call)]
    return any(part["type"] == kind for content in contents if isinstance(content, list) for part in content)


def wrong_where(condition, change=lambda count: count + 1):
    """Makes a candidate that is right except where the condition holds."""

    def make(control):
        def candidate(**call):
            count = control(**call)
            return change(count) if condition(call) else count

        return candidate

    return make


def only_text(control, call):
    """What a counter that joins all texts finds."""
    return control(model=call.get("model", ""), text="".join(texts_of(call)))


@planted
def forgets_what_a_message_costs(control):
    """Nothing is added for each message."""
    return wrong_where(messages_of, lambda count: count - PER_MESSAGE)(control)


@planted
def finds_nothing_in_no_messages(control):
    """An empty list of messages still costs the reply's beginning."""
    return wrong_where(lambda call: call.get("messages") == [], lambda count: 0)(control)


@planted
def leaves_names_out(control):
    """A message's name is not counted."""

    def candidate(**call):
        if "messages" in call:
            call["messages"] = [{k: v for k, v in it.items() if k != "name"} for it in call["messages"]]
        return control(**call)

    return candidate


@planted
def leaves_tool_calls_out(control):
    """What the assistant called is not counted."""

    def candidate(**call):
        if "messages" in call:
            call["messages"] = [{k: v for k, v in it.items() if k != "tool_calls"} for it in call["messages"]]
        return control(**call)

    return candidate


@planted
def finds_nothing_in_images(control):
    """An image counts as if it were not there."""
    return wrong_where(lambda call: has_part(call, "image_url"), lambda count: 1)(control)


@planted
def takes_special_tokens_for_one(control):
    """Text that reads like a special token is counted as that token."""

    def candidate(**call):
        return control(**call) - 6 * sum(text.count("<|endoftext|>") for text in texts_of(call))

    return candidate


@planted
def leaves_tools_out(control):
    """The tools that are offered are not counted."""

    def candidate(**call):
        call.pop("tools", None)
        return control(**call)

    return candidate


@planted
def counts_nothing_as_zero(control):
    """Neither a text nor messages is an error, not a count."""

    def candidate(**call):
        return 0 if "text" not in call and "messages" not in call else control(**call)

    return candidate


@planted
def is_off_by_one_above_1024_characters(control):
    """The seam between two pieces of a long text is counted twice."""
    return wrong_where(lambda call: any(len(text) > 1024 for text in texts_of(call)))(control)


@planted
def is_wrong_from_right_to_left(control):
    """One Unicode class only."""
    return wrong_where(lambda call: any("\u0590" <= it <= "\u08ff" for text in texts_of(call) for it in text))(control)


@planted
def is_wrong_on_joined_characters(control):
    """A zero-width joiner is dropped before counting."""
    return wrong_where(lambda call: any("\u200d" in text for text in texts_of(call)))(control)


@planted
def is_wrong_for_one_role(control):
    """A developer's message is taken for a system's."""
    return wrong_where(lambda call: any(it.get("role") == "developer" for it in messages_of(call)))(control)


@planted
def is_wrong_with_tools_and_a_system_message(control):
    """Right with either of the two."""
    return wrong_where(lambda call: call.get("tools") and any(it.get("role") == "system" for it in messages_of(call)))(
        control
    )


@planted
def returns_a_float(control):
    """The same number, of another type."""
    return wrong_where(lambda call: True, float)(control)


@planted
def returns_a_bool(control):
    """A count of one comes out as True, which equals it."""
    return wrong_where(lambda call: True, lambda count: True if count == 1 else count)(control)


@planted
def raises_another_class(control):
    """Callers that catch a ValueError would not catch this."""

    def candidate(**call):
        try:
            return control(**call)
        except ValueError as error:
            raise LookupError(*error.args) from None

    return candidate


@planted
def raises_where_content_is_none(control):
    """A message without content is legal."""

    def candidate(**call):
        if any("content" in it and it["content"] is None for it in messages_of(call)):
            raise TypeError("content must be text")
        return control(**call)

    return candidate


@planted
def changes_the_messages(control):
    """The right count, and the caller's messages have lost their cache marks."""

    def candidate(**call):
        count = control(**call)
        for message in messages_of(call):
            message.pop("cache_control", None)
        return count

    return candidate


@planted
def is_wrong_once_in_500(control):
    """For no reason that could be seen in the input."""
    return wrong_where(lambda call: zlib.crc32(repr(call).encode("utf-8", "replace")) % 500 == 0)(control)


@planted
def panics_on_half_a_character(control):
    """Native code that takes every text for UTF-8."""

    def candidate(**call):
        if any("\ud800" <= it <= "\udfff" for text in texts_of(call) for it in text):
            raise Panic("called `Result::unwrap()` on an `Err` value")
        return control(**call)

    return candidate
