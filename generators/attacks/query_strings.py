"""Query strings: parameters in other orders and encodings, twice, missing, or nearly right."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import quote

from gatecrash.authorizers.contract import AuthorizerRequest, Demand, HttpContext
from gatecrash.generators.attacks.base import Family, Scene
from gatecrash.generators.attacks.kinds import is_api_key

FAMILY: Final = Family("query_string", is_api_key)
_ENCODING: Final = "RFC 3986 section 2.1, 6.2.2: equivalent encodings"
_FORM: Final = "WHATWG URL Standard, application/x-www-form-urlencoded parsing"
_OTHERS: Final = "other query parameters change the decision"


def _pairs(request: AuthorizerRequest) -> list[tuple[str, str]]:
    """Return the parameters as they stand in the query string, encoded."""
    text = (request.http_context.query_string if request.http_context else None) or ""
    parts = [part.partition("=") for part in text.removeprefix("?").split("&") if part]
    return [(name, value) for name, _, value in parts]


def _with_query(request: AuthorizerRequest, query: str | None) -> AuthorizerRequest:
    context = request.http_context or HttpContext()
    return replace(request, http_context=replace(context, query_string=query))


def _joined(pairs: list[tuple[str, str]]) -> str:
    return "?" + "&".join(f"{name}={value}" for name, value in pairs)


def _encoded(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


@FAMILY.request(
    Demand.SAME,
    _FORM,
    *("?x=1&{}", "?{}&x=1", "?{}&", "?&{}", "?{}&&x=1", "?{}&x", "?{}&x=", "?{}&=x", "?a=b&{}&c=d", "?{}&__proto__=x"),
    *("?{}&x=%20+%2B", "?{}&token=", "?{}&X-Amz-Date=1"),
    weakness=_OTHERS,
    touches="query",
)
def other_parameters(_: Scene, request: AuthorizerRequest, pattern: str) -> AuthorizerRequest | None:
    """Put other parameters before and behind those that count."""
    pairs = _pairs(request)
    return _with_query(request, pattern.replace("{}", _joined(pairs)[1:])) if pairs else None


@FAMILY.request(
    Demand.ANY,
    "RFC 3986; CWE-20; CWE-400",
    *("?{}&x=%zz", "?{}&x=%ff", "?{}&x=%00", "?{}&%", "?{}&x=é", "?{}#x", "??{}", "?{};x=1", "?{}&x=\ud800", "many"),
    weakness="odd query strings",
    touches="query",
)
def query_odd(_: Scene, request: AuthorizerRequest, pattern: str) -> AuthorizerRequest | None:
    """Add escapes that are none, bytes that are no text, other separators, or two hundred parameters."""
    pairs = _pairs(request)
    if not pairs:
        return None
    query = _joined([*((f"x{number}", "1") for number in range(200)), *pairs]) if pattern == "many" else pattern
    return _with_query(request, query.replace("{}", _joined(pairs)[1:]))


@FAMILY.request(
    Demand.SAME, _ENCODING, "value", "name", "order", "lower", weakness="equivalent encodings differ", touches="query"
)
def parameters_encoded(_: Scene, request: AuthorizerRequest, how: str) -> AuthorizerRequest | None:
    """Percent-encode characters that need no encoding, or turn the order of parameters round."""
    pairs = _pairs(request)
    if not pairs or any("%" in name + value for name, value in pairs):
        return None
    changed = {
        "value": [(name, _encoded(value)) for name, value in pairs],
        "name": [(_encoded(name), value) for name, value in pairs],
        "lower": [(name, _encoded(value).lower()) for name, value in pairs],
        "order": pairs[::-1],
    }[how]
    return _with_query(request, _joined(changed)) if changed != pairs else None


@FAMILY.request(
    Demand.DENY,
    "RFC 3986 section 3.4; AWS IoT developer guide, custom-auth",
    *("all", "first", "none"),
    weakness="missing parameters are accepted",
    touches="query",
    everyday=True,
)
def parameters_missing(_: Scene, request: AuthorizerRequest, which: str) -> AuthorizerRequest | None:
    """Leave out the query string, its first parameter, or all of its parameters."""
    pairs = _pairs(request)
    if not pairs:
        return None
    if which == "all":
        headers = request.http_context.headers if request.http_context else None
        if not headers:
            return None
        return _with_query(request, None)
    if which == "first" and len(pairs) == 1:
        return None
    return _with_query(request, _joined(pairs[1:]) if which == "first" else "?")


@FAMILY.request(
    Demand.NOT_ISSUED,
    "CWE-235: improper handling of extra parameters; CWE-436",
    *("bad_first", "bad_last", "bad_between", "empty_last", "case_last"),
    weakness="of two conflicting parameters one wins",
    touches="query",
    alone=True,
)
def parameter_twice(scene: Scene, request: AuthorizerRequest, order: str) -> AuthorizerRequest | None:
    """Present a parameter twice, once right and once wrong."""
    pairs = _pairs(request)
    if not pairs:
        return None
    (name, value), rest = pairs[0], pairs[1:]
    wrong = (name, _wrong_value(scene, name, value))
    arranged = {
        "bad_first": [wrong, (name, value)],
        "bad_last": [(name, value), wrong],
        "bad_between": [(name, value), wrong, (name, value)],
        "empty_last": [(name, value), (name, "")],
        "case_last": [(name, value), (_encoded(name), wrong[1])],
    }
    return _with_query(request, _joined([*arranged[order], *rest]))


def _wrong_value(scene: Scene, name: str, value: str) -> str:
    other = quote(str(dict(scene.other.parameters).get(name, "")))
    return other if other and other != value else f"{value}x"


@FAMILY.request(
    Demand.DENY,
    "CWE-20; CWE-178; CWE-158; CWE-174",
    *("other", "", "upper", "prefix", "{}x", "x{}", "{}%00", "{}%20", "%20{}", "{}*", "*", "{},x", "{}%0A", "%2500{}"),
    *("twice", '["{}"]', "{}/../x", "{}%C2%AD", "null", "%", ".*", "{}'", "{}+"),
    weakness="parameters are compared loosely",
    touches="query",
    everyday=True,
)
def parameter_wrong(scene: Scene, request: AuthorizerRequest, pattern: str) -> AuthorizerRequest | None:
    """Present a parameter that belongs to somebody else, or is only almost right."""
    pairs = _pairs(request)
    if not pairs or scene.valid.parameters == {}:
        return None
    (name, value), rest = pairs[0], pairs[1:]
    spelt = {
        "other": _wrong_value(scene, name, value),
        "upper": value.upper(),
        "prefix": value[:-1],
        "twice": _encoded(value).replace("%", "%25"),
    }
    changed = spelt.get(pattern, pattern.replace("{}", value))
    return _with_query(request, _joined([(name, changed), *rest])) if changed != value else None


@FAMILY.request(
    Demand.NOT_ISSUED,
    "CWE-178; CWE-20",
    *("upper", "{}[]", "{}[0]", "%20{}", "{}%20", "{}%00", "{}.x", "_{}"),
    weakness="parameter names are compared loosely",
    touches="query",
)
def parameter_renamed(scene: Scene, request: AuthorizerRequest, pattern: str) -> AuthorizerRequest | None:
    """Present a right value under a name that is only almost right."""
    pairs = _pairs(request)
    if not pairs or scene.valid.parameters == {}:
        return None
    (name, value), rest = pairs[0], pairs[1:]
    changed = name.upper() if pattern == "upper" else pattern.replace("{}", name)
    return _with_query(request, _joined([(changed, value), *rest])) if changed != name else None


@FAMILY.request(
    Demand.ANY,
    "WHATWG URL Standard; W3C HTML 4.01 appendix B.2.2: semicolons as separators",
    *("?x=1;{}", "?{};y=2", "{}", "?{}\n", "?{} ", "? {}", "?&&&&{}", "/path?{}"),
    weakness="separators",
    touches="query",
)
def separators_odd(_: Scene, request: AuthorizerRequest, pattern: str) -> AuthorizerRequest | None:
    """Separate parameters by semicolons, leave the question mark out, or put white space around."""
    pairs = _pairs(request)
    return _with_query(request, pattern.replace("{}", _joined(pairs)[1:])) if pairs else None


@FAMILY.request(Demand.SAME, "AWS IoT API: queryString of at most 4,096", 3500, weakness=_OTHERS, touches="query")
def query_long(_: Scene, request: AuthorizerRequest, size: int) -> AuthorizerRequest | None:
    """Add a parameter of some thousand characters."""
    pairs = _pairs(request)
    text = _joined([*pairs, ("x", "y" * (size - len(_joined(pairs))))])
    return _with_query(request, text) if pairs and len(text) <= size + 3 else None
