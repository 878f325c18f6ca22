"""
Calls with chat messages.
"""

from __future__ import annotations

from copy import deepcopy
from random import Random
from typing import Any, Dict, List, Mapping, Optional, Tuple

from fast_litellm.shadow.candidate import Call
from fast_litellm.shadow.synthetic.text import size, text

Message = Dict[str, Any]
_COUNTS = {"0": (0, 0), "1": (1, 1), "2-4": (2, 4), "5-16": (5, 16), "17-64": (17, 64), "65+": (65, 80)}
_TOOL_COUNTS = {"none": (0, 0), "some": (1, 4), "many": (5, 8)}
_PARTS: Dict[str, Message] = {
    "text": {"type": "text", "text": ""},
    "image": {"type": "image_url", "image_url": {"url": "data:,"}},
    "audio": {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
    "file": {"type": "file", "file": {"file_data": ""}},
}
_KEYS: Dict[str, Any] = {
    "name": "",
    "cache_control": {"type": "ephemeral"},
    "function_call": {"name": "look", "arguments": ""},
    "other": {"weight": 1},
}
_OPTIONS: Dict[str, Any] = {"tool_choice": "auto", "response_format": {"type": "json_object"}, "stream": True}
_CALL = {"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}


def call(values: Mapping[str, str], draw: Random) -> Call:
    """
    Args:
        values: A shape's values of the profile "chat".
        draw: Where the rest is drawn from.

    Returns:
        Keyword arguments: a model, messages or a text, tools and options.
    """
    options = _words(values["options"])
    kwargs = {**_model(values), **{name: _OPTIONS.get(name, 1) for name in options if name not in ("text", "other")}}
    messages = _messages(values, draw)
    if messages or ("text" not in options and draw.random() < 1 / 2):  # a shape tells no messages from an empty list
        kwargs["messages"] = messages
    if "text" in options:
        kwargs["text"] = ""
    tools = draw.randint(*_TOOL_COUNTS[values["tools"]])
    if tools:
        kwargs["tools"] = [_tool(index) for index in range(tools)]
    _fill(kwargs, values, draw)
    return (), kwargs


def _words(value: str) -> List[str]:
    return [] if value == "-" else value.split("+")


def _model(values: Mapping[str, str]) -> Dict[str, str]:
    family, provider = values["family"], values["provider"]
    if family == "none":
        return {}
    name = "unlisted" if family == "other" else family
    return {"model": name if provider == "none" else f"{'elsewhere' if provider == 'other' else provider}/{name}"}


def _tool(index: int) -> Dict[str, Any]:
    schema = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
    return {"type": "function", "function": {"name": f"look{index}", "description": "Looks.", "parameters": schema}}


def _messages(values: Mapping[str, str], draw: Random) -> List[Message]:
    roles, kinds, keys = (_words(values[dimension]) for dimension in ("roles", "content", "keys"))
    count = max(draw.randint(*_COUNTS[values["messages"]]), len(roles) if values["messages"] != "0" else 0)
    forms = _forms(kinds)
    messages: List[Message] = []
    for index in range(count):
        message: Message = {"role": roles[index] if index < len(roles) else draw.choice(roles or ["user"])}
        form = forms[index] if index < len(forms) else draw.choice(forms or [None])
        messages.append({**message, **_content(form, kinds)})
    _spread(messages, [key for key in ("tool_call", "tool_result") if key in kinds], keys, draw)
    return messages


def _forms(kinds: List[str]) -> List[Optional[str]]:
    """What the content of a message may be; a list can hold the text as well."""
    return [kind for kind in ("list", "none", "other", "text") if kind in kinds]


def _content(form: Optional[str], kinds: List[str]) -> Message:
    if form == "list":
        return {"content": [deepcopy(_PARTS[kind]) for kind in _PARTS if kind in kinds]}
    return {} if form is None else {"content": {"text": "", "none": None}.get(form, 7)}


def _spread(messages: List[Message], kinds: List[str], keys: List[str], draw: Random) -> None:
    """Every key is on one message at least, where there is one."""
    for word in (*kinds, *keys):
        for message in draw.sample(messages, min(len(messages), draw.randint(1, 2))):
            message.update(_carried(word))


def _carried(word: str) -> Message:
    if word == "tool_call":
        return {"tool_calls": [deepcopy(_CALL)]}
    if word == "tool_result":
        return {"tool_call_id": "1"}
    value = deepcopy(_KEYS[word])
    return dict(value) if word == "other" else {word: value}


def _fill(kwargs: Dict[str, Any], values: Mapping[str, str], draw: Random) -> None:
    """Shares what is left of the size out among the places that hold a text."""
    slots = _slots(kwargs)
    left = max(0, size(values["size"], draw) - _fixed(kwargs))
    unicode_class = values["unicode"]
    for index, (holder, key) in enumerate(slots):
        most = left if index == len(slots) - 1 else draw.randint(0, 2 * left // (len(slots) - index))
        most = min(most, left)
        holder[key] = holder[key] + text(unicode_class, most, draw)
        left -= most


def _slots(kwargs: Dict[str, Any]) -> List[Tuple[Dict[str, Any], str]]:
    """Dicts and the keys under which they hold a text that may grow; the last of them takes what is left."""
    found: List[Tuple[Dict[str, Any], str]] = [(kwargs, "text")] if "text" in kwargs else []
    for message in kwargs.get("messages", ()):
        parts = message.get("content")
        if isinstance(parts, str):
            found.append((message, "content"))
        elif isinstance(parts, list):
            found += [slot for part in parts for slot in _slots_of_part(part)]
        found += [(message, "name")] if "name" in message else []
    return found


def _slots_of_part(part: Message) -> List[Tuple[Dict[str, Any], str]]:
    if part["type"] == "text":
        return [(part, "text")]
    inner = part[part["type"]]
    return [(inner, key) for key in ("url", "data", "file_data") if key in inner]


def _fixed(kwargs: Dict[str, Any]) -> int:
    """The characters that are there already, as a shape counts them: roles are none of its text."""
    texts = (value for message in kwargs.get("messages", ()) for key, value in message.items() if key != "role")
    return sum(map(_characters, texts))


def _characters(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_characters, value.values()))
    return sum(map(_characters, value)) if isinstance(value, list) else 0
