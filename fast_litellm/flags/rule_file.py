"""
A whole rule file: text or objects in, checked rules or every problem out.

    version: 1
    defaults: {unit: call_id}       the attribute that is hashed when the caller names no unit
    segments: {NAME: CONDITION}     conditions that rules can name
    flags: {NAME: FLAG}             see config/rollout.yaml for every key

Percentages hash the salt and the unit (see `bucket.rs`), so a unit keeps its side while a percentage grows. The unit is
a text or a whole number; a missing, empty or other one is served by Python with the detail "missing_unit", except at 0
and 100 percent, which ask for none. A split serves the candidates in the order of the file, Python above them.

A flag without `stage` is `off` when it is not enabled, `on` when Python can never serve, `canary` when a candidate can,
`shadow` when it has a `shadow` above 0 percent, else `off`. A written `stage` wins over the rules: at `off` and
`shadow` no rule serves; at `canary` and `on` the rules decide, and at `on` a missing `otherwise` means rust instead of
python. At `shadow` and `canary` the calls that Python serves are compared.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Dict, Mapping, NamedTuple, Optional

from fast_litellm.errors import RuleError
from fast_litellm.flags import fields, yaml_text
from fast_litellm.flags.flag_rules import FlagReader
from fast_litellm.flags.nodes import Findings
from fast_litellm.flags.objects import Converter
from fast_litellm.flags.segments import SegmentReader

if TYPE_CHECKING:
    from fast_litellm.flags.flag_rules import Flag
    from fast_litellm.flags.nodes import Node

DEFAULT_UNIT = "call_id"

_KEYS = ("version", "defaults", "segments", "flags")
_REVISION_CHARACTERS = 12


class Rules(NamedTuple):
    """
    Rules in which nothing is wrong.

    Args:
        revision: The first 12 hexadecimal characters of the SHA-256 of the file.
        unit: The attribute that is hashed when the caller names no unit.
        segments: Conditions by name.
        flags: Flags by name.
    """

    revision: str
    unit: str
    segments: Dict[str, Any]
    flags: Dict[str, Flag]


def from_bytes(data: bytes, file: str) -> Rules:
    """
    Check the text of a rule file.

    Args:
        data: The file's content.
        file: How the file is named in problems.

    Returns:
        The rules.

    Raises:
        RuleError: Something is wrong; every problem is listed, in the order of the file.
    """
    findings = Findings(file)
    root = yaml_text.read(data, findings)
    return _finished(root, findings, data)


def from_objects(rules: Mapping[str, Any], file: str = "<dict>") -> Rules:
    """
    Check rules from memory, by the same standard as a file.

    Args:
        rules: What a rule file holds.
        file: How the rules are named in problems.

    Returns:
        The rules; their revision depends on their content alone.

    Raises:
        RuleError: Something is wrong; every problem is listed.
    """
    findings = Findings(file)
    return _finished(Converter(findings).node(rules), findings, None)


def _finished(root: Optional[Node], findings: Findings, data: Optional[bytes]) -> Rules:
    unit, segments, flags = _read(root, findings) if root is not None else ("", {}, {})
    problems = findings.sorted()
    if problems:
        raise RuleError(problems)
    content = data if data is not None else json.dumps([unit, segments, flags]).encode()
    return Rules(hashlib.sha256(content).hexdigest()[:_REVISION_CHARACTERS], unit, segments, flags)


def _read(root: Node, findings: Findings) -> tuple[str, Dict[str, Any], Dict[str, Flag]]:
    found = fields.mapping(root, findings, _KEYS)
    _check_version(fields.required(root, found, "version", findings), findings)
    segments = SegmentReader(findings)
    conditions = segments.read(found["segments"]) if "segments" in found else {}
    reader = FlagReader(findings)
    listed = fields.required(root, found, "flags", findings)
    entries = fields.named(listed, findings) if listed is not None else {}
    flags = {name: reader.read(entry) for name, entry in entries.items()}
    segments.check(reader.references)
    return _unit(found.get("defaults"), findings), conditions, flags


def _check_version(node: Optional[Node], findings: Findings) -> None:
    if node is not None and (node.value != 1 or not isinstance(node.value, int) or isinstance(node.value, bool)):
        findings.expected(node, "1, the only version there is")


def _unit(node: Optional[Node], findings: Findings) -> str:
    found = fields.mapping(node, findings, ("unit",)) if node is not None else {}
    return fields.attribute(found.get("unit"), findings) or DEFAULT_UNIT
