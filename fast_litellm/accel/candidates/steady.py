"""
What a function answers again and again, learned from two answers to two inputs: which parts stay, which are new objects
of equal content, and where a varying part of the input stands.
"""

from __future__ import annotations

from typing import Any, Dict, Tuple

from fast_litellm.accel.native import Recipe

_SCALARS = (str, int, float, bool, type(None))
_PARTS = ("__dict__", "__pydantic_private__", "__pydantic_extra__", "__pydantic_fields_set__")


class Unsteady(Exception):  # noqa: N818 - a signal: the answers differ in more than what varies
    """Two answers differ where nothing is known to vary, or hold something of which nobody knows how it is made."""


def learned(one: Any, other: Any, slots: Dict[Tuple[Any, Any], int]) -> Recipe:
    """
    Args:
        one: An answer.
        other: An answer of the same function in the same state.
        slots: Two values, one of each input, to the place of the varying part that they stand for.

    Returns:
        Makes an answer of the values of the varying parts.

    Raises:
        Unsteady: There is no such rule.
    """
    if _varies(one, other, slots):
        return Recipe.value(slots[one, other])
    if _is_kept(one, other):
        return Recipe.kept(one)
    if type(one) is not type(other):
        raise Unsteady
    return _made_anew(one, other, slots)


def _made_anew(one: Any, other: Any, slots: Dict[Tuple[Any, Any], int]) -> Recipe:
    if type(one) is dict and list(one) == list(other):
        return _dict(one, other, slots)
    if type(one) is list and len(one) == len(other):
        return Recipe.new_list([learned(*items, slots) for items in zip(one, other)])
    if type(one) is set and one == other and all(type(item) is str for item in one):
        return Recipe.new_set(one)
    if hasattr(one, "__pydantic_fields_set__"):
        return Recipe.new_model(
            type(one), [learned(getattr(one, part), getattr(other, part), slots) for part in _PARTS]
        )
    raise Unsteady


def _dict(one: Dict[Any, Any], other: Dict[Any, Any], slots: Dict[Tuple[Any, Any], int]) -> Recipe:
    made = [
        (key, learned(value, other[key], slots))
        for key, value in one.items()
        if _varies(value, other[key], slots) or not _is_kept(value, other[key])
    ]
    return Recipe.new_dict(one, made)


def _varies(one: Any, other: Any, slots: Dict[Tuple[Any, Any], int]) -> bool:
    return type(one) in (str, float) and type(other) in (str, float) and (one, other) in slots


def _is_kept(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and type(one) in _SCALARS and one == other)
