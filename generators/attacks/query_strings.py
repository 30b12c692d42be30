"""Query strings: parameters in other orders and encodings, twice, missing, or nearly right."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from gatecrash.authorizers.contract import AuthorizerRequest, Demand
from gatecrash.generators.attacks.attack import Family, Scene
from gatecrash.generators.attacks.changes import with_http
from gatecrash.generators.attacks.kinds import is_api_key
from gatecrash.generators.attacks.spellings import percent_encode, spell

FAMILY: Final = Family("query_string", is_api_key, touches="query")
_ENCODING: Final = "RFC 3986 section 2.1, 6.2.2: equivalent encodings"
_FORM: Final = "WHATWG URL Standard, application/x-www-form-urlencoded parsing"
_OTHERS: Final = "other query parameters change the decision"


def _pairs(request: AuthorizerRequest) -> list[tuple[str, str]]:
    """Return the parameters as they stand in the query string, encoded."""
    text = (request.http_context.query_string if request.http_context else None) or ""
    parts = [part.partition("=") for part in text.removeprefix("?").split("&") if part]
    return [(name, value) for name, _, value in parts]


def _query(pairs: list[tuple[str, str]]) -> str:
    return "?" + "&".join(f"{name}={value}" for name, value in pairs)


@FAMILY.request(
    Demand.SAME,
    _FORM,
    *("?x=1&{}", "?{}&x=1", "?{}&", "?&{}", "?{}&&x=1", "?{}&x", "?{}&x=", "?{}&=x", "?a=b&{}&c=d", "?{}&__proto__=x"),
    *("?{}&x=%20+%2B", "?{}&token=", "?{}&X-Amz-Date=1"),
    weakness=_OTHERS,
)
def other_parameters(_: Scene, request: AuthorizerRequest, pattern: str) -> AuthorizerRequest | None:
    """Put other parameters before and behind those that count."""
    pairs = _pairs(request)
    return with_http(request, query_string=pattern.replace("{}", _query(pairs)[1:])) if pairs else None


@FAMILY.request(
    Demand.ANY,
    "RFC 3986; CWE-20; CWE-400",
    *("?{}&x=%zz", "?{}&x=%ff", "?{}&x=%00", "?{}&%", "?{}&x=é", "?{}#x", "??{}", "?{};x=1", "?{}&x=\ud800", "many"),
    weakness="odd query strings",
)
def query_odd(_: Scene, request: AuthorizerRequest, pattern: str) -> AuthorizerRequest | None:
    """Add escapes that are none, bytes that are no text, other separators, or two hundred parameters."""
    pairs = _pairs(request)
    if not pairs:
        return None
    query = _query([*((f"x{number}", "1") for number in range(200)), *pairs]) if pattern == "many" else pattern
    return with_http(request, query_string=query.replace("{}", _query(pairs)[1:]))


@FAMILY.request(Demand.SAME, _ENCODING, "value", "name", "order", "lower", weakness="equivalent encodings differ")
def parameters_encoded(_: Scene, request: AuthorizerRequest, how: str) -> AuthorizerRequest | None:
    """Percent-encode characters that need no encoding, or turn the order of parameters round."""
    pairs = _pairs(request)
    if not pairs or any("%" in name + value for name, value in pairs):
        return None
    changed = {
        "value": [(name, percent_encode(value)) for name, value in pairs],
        "name": [(percent_encode(name), value) for name, value in pairs],
        "lower": [(name, percent_encode(value).lower()) for name, value in pairs],
        "order": pairs[::-1],
    }[how]
    return with_http(request, query_string=_query(changed)) if changed != pairs else None


@FAMILY.request(
    Demand.DENY,
    "RFC 3986 section 3.4; AWS IoT developer guide, custom-auth",
    *("all", "first", "none"),
    weakness="missing parameters are accepted",
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
        return with_http(request, query_string=None)
    if which == "first" and len(pairs) == 1:
        return None
    return with_http(request, query_string=_query(pairs[1:]) if which == "first" else "?")


@FAMILY.request(
    Demand.NOT_ISSUED,
    "CWE-235: improper handling of extra parameters; CWE-436",
    *("bad_first", "bad_last", "bad_between", "empty_last", "case_last"),
    weakness="of two conflicting parameters one wins",
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
        "case_last": [(name, value), (percent_encode(name), wrong[1])],
    }
    return with_http(request, query_string=_query([*arranged[order], *rest]))


def _wrong_value(scene: Scene, name: str, value: str) -> str:
    other = quote(str(dict(scene.other.parameters).get(name, "")))
    return other if other and other != value else f"{value}x"


@FAMILY.request(
    Demand.DENY,
    "CWE-20; CWE-178; CWE-158; CWE-174",
    *("other", "", "upper", "prefix", "{}x", "x{}", "{}%00", "{}%20", "%20{}", "{}*", "*", "{},x", "{}%0A", "%2500{}"),
    *("twice", '["{}"]', "{}/../x", "{}%C2%AD", "null", "%", ".*", "{}'", "{}+"),
    weakness="parameters are compared loosely",
    everyday=True,
)
def parameter_wrong(scene: Scene, request: AuthorizerRequest, pattern: str) -> AuthorizerRequest | None:
    """Present a parameter that belongs to somebody else, or is only almost right."""
    pairs = _pairs(request)
    if not pairs or scene.valid.parameters == {}:
        return None
    (name, value), rest = pairs[0], pairs[1:]
    twice, other = percent_encode(value).replace("%", "%25"), _wrong_value(scene, name, value)
    changed = spell(pattern, value, other=other, upper=value.upper(), prefix=value[:-1], twice=twice)
    return with_http(request, query_string=_query([(name, changed), *rest])) if changed != value else None


@FAMILY.request(
    Demand.NOT_ISSUED,
    "CWE-178; CWE-20",
    *("upper", "{}[]", "{}[0]", "%20{}", "{}%20", "{}%00", "{}.x", "_{}"),
    weakness="parameter names are compared loosely",
)
def parameter_renamed(scene: Scene, request: AuthorizerRequest, pattern: str) -> AuthorizerRequest | None:
    """Present a right value under a name that is only almost right."""
    pairs = _pairs(request)
    if not pairs or scene.valid.parameters == {}:
        return None
    (name, value), rest = pairs[0], pairs[1:]
    changed = spell(pattern, name, upper=name.upper())
    return with_http(request, query_string=_query([(changed, value), *rest])) if changed != name else None


@FAMILY.request(
    Demand.ANY,
    "WHATWG URL Standard; W3C HTML 4.01 appendix B.2.2: semicolons as separators",
    *("?x=1;{}", "?{};y=2", "{}", "?{}\n", "?{} ", "? {}", "?&&&&{}", "/path?{}"),
    weakness="separators",
)
def separators_odd(_: Scene, request: AuthorizerRequest, pattern: str) -> AuthorizerRequest | None:
    """Separate parameters by semicolons, leave the question mark out, or put white space around."""
    pairs = _pairs(request)
    return with_http(request, query_string=pattern.replace("{}", _query(pairs)[1:])) if pairs else None


@FAMILY.request(Demand.SAME, "AWS IoT API: queryString of at most 4,096", 3500, weakness=_OTHERS)
def query_long(_: Scene, request: AuthorizerRequest, size: int) -> AuthorizerRequest | None:
    """Add a parameter of some thousand characters."""
    pairs = _pairs(request)
    text = _query([*pairs, ("x", "y" * (size - len(_query(pairs))))])
    return with_http(request, query_string=text) if pairs and len(text) <= size + 3 else None
