"""AWS IoT policies: their canonical form, and what they allow.

Follows the developer guide's pages "AWS IoT Core policies", "Basic AWS IoT Core policy variables" and the
IAM reference's wildcard rules: ``*`` and ``?`` are wildcards, ``+`` and ``#`` are literals in resources;
``${*}``, ``${?}`` and ``${$}`` are the escaped characters; an explicit Deny wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import WireError

_ESCAPES: Final = {"*": "*", "?": "?", "$": "$"}
_TOKEN: Final = re.compile(r"\$\{([^}]*)\}|(\*)|(\?)", re.DOTALL)
_UNKNOWN_VARIABLE: Final = "(?!)"
_WILD: Final = re.compile(r"[*?]|\$\{")


@lru_cache(maxsize=4096)
def statements(document: str) -> Sequence[Mapping[str, Any]] | None:
    """Return the statements of a policy document, or None when it isn't a JSON object with such a list.

    They are kept for the next call, and not to be changed.
    """
    try:
        policy = wire.decode(document.encode("utf-8", "surrogatepass"))
    except WireError:
        return None
    if not isinstance(policy, dict):
        return None
    members = policy.get("Statement", [])
    members = [members] if isinstance(members, dict) else members
    if not isinstance(members, list) or not all(isinstance(statement, dict) for statement in members):
        return None
    return members


@lru_cache(maxsize=4096)
def canonical(documents: tuple[str, ...]) -> bytes:
    """Spell policies so that equal meaning gives equal bytes.

    The order of documents and statements, ``Sid``, one string or a list of it, the order within a list, the
    case of actions and JSON's white space don't count. A document that can't be parsed stands as it is.
    """
    spelled = {spelling for document in documents for spelling in _spell_document(document)}
    return b"[" + b",".join(sorted(spelled)) + b"]"


def _spell_document(document: str) -> list[bytes]:
    parsed = statements(document)
    # It may be nested so deeply that it could be read but can't be written.
    with suppress(WireError):
        if parsed is not None:
            return [wire.encode_sorted(_canonical_statement(statement)) for statement in parsed]
    return [wire.encode({"malformed": document})]


def _canonical_statement(statement: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, value in statement.items():
        if key == "Sid":
            continue
        values = value if isinstance(value, list) else [value]
        if key in {"Action", "NotAction"}:
            values = [item.lower() if isinstance(item, str) else item for item in values]
        if key in {"Action", "NotAction", "Resource", "NotResource"}:
            plain[key] = sorted(values, key=wire.encode_sorted)
        else:
            plain[key] = value
    return plain


def allows(
    documents: Iterable[str],
    action: str,
    resource: str,
    variables: Mapping[str, str],
    *,
    conditions_met: bool = True,
) -> bool:
    """Evaluate policies for one action on one resource.

    ``resource`` is the part after the account, such as ``client/sensor-1``; partition, region and account of
    the policy's ARNs are not compared. ``variables`` has values such as ``{"iot:ClientId": "sensor-1"}``; a
    variable that isn't given matches nothing. A condition on an Allow is taken as met and on a Deny as not met:
    the answer then is what the policy allows at most. With ``conditions_met`` false it is the other way round, and
    the answer what the policy allows at least. Documents that can't be parsed allow nothing.
    """
    allowed = False
    for document in documents:
        for statement in statements(document) or ():
            if not _applies(statement, action, resource, variables):
                continue
            conditional = "Condition" in statement
            if statement.get("Effect") == "Deny":
                if not conditional or not conditions_met:
                    return False
            elif statement.get("Effect") == "Allow" and (conditions_met or not conditional):
                allowed = True
    return allowed


def grants(documents: Iterable[str]) -> set[tuple[str, str]]:
    """Return the pairs of action and resource that Allow statements name, without wildcards and variables.

    Resources are the parts after the account, such as ``topic/devices/one``; actions are in lower case. A wildcard
    in an action, such as ``iot:*``, leaves its pairs out.
    """
    return {
        (action.lower(), resource.split(":", 5)[5])
        for document in documents
        for statement in statements(document) or ()
        if statement.get("Effect") == "Allow"
        for action in _texts(statement.get("Action"))
        for resource in _texts(statement.get("Resource"))
        if resource.count(":") >= 5 and not _WILD.search(action) and not _WILD.search(resource)
    }


def _texts(value: Any) -> list[str]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]


def allows_anything(documents: Iterable[str]) -> bool:
    """Say whether any statement has the effect Allow: without one, nothing can be done."""
    return any(statement.get("Effect") == "Allow" for document in documents for statement in statements(document) or ())


def lets_connect(documents: Sequence[str], client_id: str | None) -> bool:
    """Say whether policies let this client connect; without a client id, whether they allow anything at all."""
    if client_id is None:
        return allows_anything(documents)
    return allows(documents, "iot:Connect", f"client/{client_id}", {"iot:ClientId": client_id})


def _applies(statement: Mapping[str, Any], action: str, resource: str, variables: Mapping[str, str]) -> bool:
    return _selects(statement, "Action", lambda pattern: _action_matches(pattern, action)) and _selects(
        statement, "Resource", lambda pattern: _resource_matches(pattern, resource, variables)
    )


def _selects(statement: Mapping[str, Any], key: str, matches: Any) -> bool:
    negated = f"Not{key}"
    name = key if key in statement else negated
    value = statement.get(name, [])
    patterns = value if isinstance(value, list) else [value]
    selected = any(isinstance(pattern, str) and matches(pattern) for pattern in patterns)
    return selected if name == key else (negated in statement and not selected)


def _action_matches(pattern: str, action: str) -> bool:
    return _compile(pattern.lower(), ()).fullmatch(action.lower()) is not None


def _resource_matches(pattern: str, resource: str, variables: Mapping[str, str]) -> bool:
    if pattern == "*":
        return True
    parts = pattern.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        return False
    return _compile(parts[5], tuple(sorted(variables.items()))).fullmatch(resource) is not None


@lru_cache(maxsize=4096)
def _compile(pattern: str, variables: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    values = dict(variables)

    def piece(match: re.Match[str]) -> str:
        if match[3]:
            return "."
        name = match[1]
        if name in _ESCAPES:
            return re.escape(_ESCAPES[name])
        return re.escape(values[name]) if name in values else _UNKNOWN_VARIABLE

    position, segments = 0, [""]
    for match in _TOKEN.finditer(pattern):
        segments[-1] += re.escape(pattern[position : match.start()])
        if match[2]:
            segments.append("")
        else:
            segments[-1] += piece(match)
        position = match.end()
    segments[-1] += re.escape(pattern[position:])
    return re.compile(_join(segments), re.DOTALL)


def _join(segments: list[str]) -> str:
    """Join what stands between wildcards. Each segment is taken where it first fits, without going back.

    That is enough, since a segment has a fixed length, and it keeps a hostile policy such as ``*a*a*a*a`` from
    taking for ever.
    """
    first, *between = segments
    if not between:
        return first
    *middle, last = between
    return first + "".join(f"(?>.*?{segment})" for segment in middle if segment) + f".*{last}"
