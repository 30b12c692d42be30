"""The numbered rules that findings violate. Numbers are never reused; `gatecrash explain` tells each in full."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final


class Oracle(StrEnum):
    """The family of a rule."""

    CONTRACT = "contract"
    EXPECTATION = "expectation"
    AGREEMENT = "agreement"
    RELATION = "relation"
    ROBUSTNESS = "robustness"
    POLICY = "policy"


class Severity(IntEnum):
    """How bad: a note never fails a run, everything above does; higher is worse."""

    NOTE = 1
    ERROR = 2
    DANGER = 3

    @property
    def label(self) -> str:
        """The word for people."""
        return self.name.lower()


class FindingKind(StrEnum):
    """What is wrong with an authorizer that violates a rule."""

    FAIL_OPEN = "fail_open"
    FAIL_CLOSED = "fail_closed"
    POLICY = "policy"
    INCONSISTENT = "inconsistent"
    CRASH = "crash"
    INVALID_RESPONSE = "invalid_response"
    PERFORMANCE = "performance"


@dataclass(frozen=True, slots=True)
class Rule:
    """A numbered kind of finding: what it means, why it is dangerous, how to mend it, and who says so."""

    code: str
    oracle: Oracle
    kind: FindingKind
    severity: Severity
    title: str
    meaning: str
    danger: str
    remedy: str
    sources: tuple[str, ...]


_CUSTOM_AUTH: Final = "https://docs.aws.amazon.com/iot/latest/developerguide/custom-auth-lambda.html"
_VARIABLES: Final = "https://docs.aws.amazon.com/iot/latest/developerguide/basic-policy-variables.html"
_TEST_INVOKE: Final = "https://docs.aws.amazon.com/iot/latest/apireference/API_TestInvokeAuthorizer.html"
_POLICIES: Final = "https://docs.aws.amazon.com/iot/latest/developerguide/security-best-practices.html"
_LAMBDA_STATE: Final = "https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html"
_JWT_PRACTICE: Final = "RFC 8725 (JSON Web Token Best Current Practices)"

FAIL_OPEN: Final = Rule(
    "GC101",
    Oracle.EXPECTATION,
    FindingKind.FAIL_OPEN,
    Severity.DANGER,
    "allowed what must be denied",
    "A request that was built to be denied was allowed: whoever sends it gets in.",
    "Anybody who can reach the endpoint can send this request; no credential of yours is needed for it, or not the "
    "one that it claims to be. The device then has the rights that the policy gives.",
    "Deny by default: allow only after every check has passed, and let nothing in the request choose the check. For "
    "tokens pin the algorithms and the keys, and demand issuer, audience, subject and expiry.",
    (_CUSTOM_AUTH, _JWT_PRACTICE, "CWE-287", "CWE-636"),
)
WRONG_DENIAL: Final = Rule(
    "GC102",
    Oracle.EXPECTATION,
    FindingKind.FAIL_CLOSED,
    Severity.ERROR,
    "denied what must be allowed",
    "A request with a valid credential was not let in: a device of the fleet stays outside.",
    "A part of the fleet can't connect, and devices that retry without pause load the authorizer further.",
    "Look at the request: is its carrier (header, query, user name, password) one that the handler reads? If it is "
    "not meant to be, take the carrier out of credentials.carriers.",
    (_CUSTOM_AUTH,),
)
NEVER_ISSUED: Final = Rule(
    "GC103",
    Oracle.EXPECTATION,
    FindingKind.FAIL_OPEN,
    Severity.ERROR,
    "allowed a credential that is never issued",
    "A rightly signed credential was allowed although nothing that your issuer makes looks so: a claim is missing, "
    "has the wrong type, or names somebody else.",
    "Only who has the key can make one. But keys sign more than device tokens: a token of the same issuer for "
    "another purpose is let in too (cross-use, RFC 8725 section 3.11), and one without an end is valid for ever.",
    "Demand every claim that you issue, with its type: iss, aud, sub, exp and iat, and the form of the subject.",
    (_JWT_PRACTICE, "RFC 7519 section 4.1", "CWE-345"),
)
BETTER_DENIED: Final = Rule(
    "GC104",
    Oracle.EXPECTATION,
    FindingKind.FAIL_OPEN,
    Severity.NOTE,
    "allowed what a standard forbids",
    "A credential was allowed in a spelling that a standard forbids, as many implementations do.",
    "By itself it lets nobody in. It matters where a second reader (a cache, a proxy, a deny list) reads the same "
    "credential in another way.",
    "Use a strict decoder, or compare what was decoded with what a strict encoder makes of it.",
    ("RFC 7515", "RFC 4648 section 3", "CWE-436"),
)
INVALID_ANSWER: Final = Rule(
    "GC201",
    Oracle.CONTRACT,
    FindingKind.INVALID_RESPONSE,
    Severity.ERROR,
    "answer breaks AWS's response format",
    "AWS IoT can't accept the handler's answer; the device is refused and the function counts as faulty.",
    "AWS treats such an answer as no decision: a valid device stays outside, a denial is not seen as one, and "
    "alarms on function faults go off.",
    "Return isAuthenticated (a boolean), principalId (1 to 128 letters and digits), policyDocuments (a list of at "
    "most 10 documents of at most 2048 characters), refreshAfterInSeconds and disconnectAfterInSeconds (300 to "
    "86400), also in a denial.",
    (_CUSTOM_AUTH, _TEST_INVOKE),
)
SERIALISED_ANSWER: Final = Rule(
    "GC202",
    Oracle.CONTRACT,
    FindingKind.INVALID_RESPONSE,
    Severity.NOTE,
    "answer is JSON inside a JSON string",
    "AWS documents both forms, but the object itself is the form that every tool understands.",
    "None with AWS IoT; other consumers of the function may not unwrap it.",
    "Return the dictionary itself rather than json.dumps of it.",
    (_CUSTOM_AUTH,),
)
HANDLER_ERROR: Final = Rule(
    "GC301",
    Oracle.ROBUSTNESS,
    FindingKind.CRASH,
    Severity.ERROR,
    "handler failed",
    "The handler raised, exited or could not be started: the device is refused without a decision.",
    "Whoever sends such requests fills the logs with stack traces (which may hold the credential), sets off alarms, "
    "and, where the environment ends, makes the next device wait for a cold start.",
    "Treat everything in the event as hostile: any part may be missing, of another type, very long or not text. "
    "Catch what the parsing of a credential raises and answer with a denial.",
    (_CUSTOM_AUTH, "CWE-248", "CWE-20"),
)
HANDLER_TIMEOUT: Final = Rule(
    "GC302",
    Oracle.ROBUSTNESS,
    FindingKind.PERFORMANCE,
    Severity.ERROR,
    "handler timed out",
    "AWS IoT waits five seconds for an authorizer, whatever the function's own time-out is.",
    "An execution environment is busy for the whole time: a few such requests a second use up the concurrency of "
    "the account, and the fleet can't connect.",
    "Bound the length of what is parsed before parsing it, avoid regular expressions that backtrack (nested "
    "repetition), and give every call to another service a time-out well below five seconds.",
    (_CUSTOM_AUTH, "CWE-1333", "CWE-400"),
)
SLOW_REQUEST: Final = Rule(
    "GC303",
    Oracle.ROBUSTNESS,
    FindingKind.PERFORMANCE,
    Severity.ERROR,
    "one request makes the handler far slower",
    "The handler took many times as long for this request as for a valid one sent alternately with it.",
    "Work that grows faster than the length of the input lets a single sender exhaust the concurrency of the account.",
    "Bound the length of what is parsed, and replace regular expressions with nested or overlapping repetition.",
    ("CWE-1333", "CWE-407"),
)
AGEING: Final = Rule(
    "GC304",
    Oracle.ROBUSTNESS,
    FindingKind.PERFORMANCE,
    Severity.ERROR,
    "handler gets slower with every invocation",
    "In an execution environment that has served many invocations the handler is several times slower than in a "
    "fresh one, for the same request sent to both alternately.",
    "Something is collected from call to call: latency and memory grow until Lambda recycles the environment.",
    "Bound caches (functools.lru_cache with maxsize), and keep per-request data out of module globals.",
    (_LAMBDA_STATE, "CWE-401"),
)
OUTCOME_CHANGED: Final = Rule(
    "GC401",
    Oracle.AGREEMENT,
    FindingKind.INCONSISTENT,
    Severity.ERROR,
    "same request, different outcome",
    "The same bytes were answered in different ways: the decision depends on something besides the request.",
    "Devices are locked out, or attackers let in, now and then: such faults pass every test that asks once.",
    "Look for what is kept between invocations (globals, default arguments, caches, files), for clocks and random "
    "numbers, and for other services whose failure is taken for an answer.",
    (_LAMBDA_STATE,),
)
POLICY_CHANGED: Final = Rule(
    "GC402",
    Oracle.AGREEMENT,
    FindingKind.INCONSISTENT,
    Severity.ERROR,
    "same request, different policy",
    "The same bytes were allowed with policies of different meaning.",
    "Where the difference is another device's policy, this device has that one's rights.",
    "Build the answer anew in each invocation; never change a dictionary or list that lives at module level.",
    (_LAMBDA_STATE, "CWE-488"),
)
PRINCIPAL_CHANGED: Final = Rule(
    "GC403",
    Oracle.AGREEMENT,
    FindingKind.INCONSISTENT,
    Severity.NOTE,
    "principal id changes from call to call",
    "AWS allows it; logs and metrics that count principals will not add up.",
    "None by itself.",
    "Derive principalId from the identity of the device.",
    (_CUSTOM_AUTH,),
)
DECAY: Final = Rule(
    "GC404",
    Oracle.AGREEMENT,
    FindingKind.INCONSISTENT,
    Severity.ERROR,
    "decision goes wrong under load",
    "A request that is decided in one way at rates which the authorizer holds was decided in another above them.",
    "In a storm of reconnecting devices some are let in that must not be, or kept out, or given another's rights. A "
    "throttle or an error is honest: the device tries again.",
    "Look at what the handler does when another service answers late or not at all, and at state that invocations "
    "share; answer with an error, or with a denial, never with a guess.",
    (_LAMBDA_STATE, "CWE-636", "CWE-362"),
)
EQUIVALENT_DIFFER: Final = Rule(
    "GC501",
    Oracle.RELATION,
    FindingKind.INCONSISTENT,
    Severity.ERROR,
    "equivalent requests are decided differently",
    "A request that means the same as a valid one was decided in another way.",
    "Header names have no case, and unrelated headers and parameters no meaning: a proxy, a library or AWS IoT "
    "itself may change them, and a part of the fleet is locked out.",
    "Look headers up without regard to case; ignore what you don't know; decode what standards say is encoded.",
    ("RFC 9110 section 5.1", "RFC 9110 section 11.1", "RFC 3986 section 6"),
)
WIDE_POLICY: Final = Rule(
    "GC601",
    Oracle.POLICY,
    FindingKind.POLICY,
    Severity.DANGER,
    "policy allows any client or topic",
    "The policy allows client ids or topics that nobody has heard of, so it is bound to no device.",
    "One lost credential opens the whole account's traffic: who has it reads and writes every device's topics.",
    "Allow exactly the client id and the topics of the device that was authenticated.",
    (_POLICIES, "CWE-732"),
)
FOREIGN_RIGHTS: Final = Rule(
    "GC602",
    Oracle.POLICY,
    FindingKind.POLICY,
    Severity.DANGER,
    "policy gives another device's rights",
    "A device was given resources that belong to another device and not to itself.",
    "One device can act as the other: read its commands, write its state, or push it off by its client id.",
    "Derive the policy from the authenticated identity alone, never from a name that the request chose.",
    (_POLICIES, "CWE-639"),
)
ALLOWING_DENIAL: Final = Rule(
    "GC603",
    Oracle.POLICY,
    FindingKind.POLICY,
    Severity.ERROR,
    "a denial carries a policy that allows",
    "The answer says isAuthenticated false and has a policy with rights in it.",
    "AWS IoT refuses the device today. Another consumer of the answer, or a later change of the flag, lets it in.",
    "Return an empty list of policy documents, or a Deny, with a denial.",
    (_CUSTOM_AUTH, "CWE-636"),
)
INJECTED_POLICY: Final = Rule(
    "GC604",
    Oracle.POLICY,
    FindingKind.POLICY,
    Severity.DANGER,
    "the request's own text widened the policy",
    "Text that the request chose stands in the policy and gives it more rights than a valid request of the same "
    "device gets.",
    "* and ? in a client id, user name or claim become wildcards, a quotation mark ends the string: the sender "
    "writes its own policy.",
    "Check names against a strict pattern before they go into a policy, and build documents with a JSON encoder.",
    (_VARIABLES, "CWE-155", "CWE-74"),
)

RULES: Final = tuple(value for value in list(globals().values()) if isinstance(value, Rule))
BY_CODE: Final = {rule.code: rule for rule in RULES}
