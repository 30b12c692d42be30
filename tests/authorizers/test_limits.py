"""The limits are those of the installed SDK's service model: a new SDK that changes one fails here."""

import pytest
from botocore.loaders import Loader

from gatecrash.authorizers import limits

MODEL = Loader().load_service_model("iot", "service-2", "2015-05-28")
SHAPES = MODEL["shapes"]

TEST_INVOKE = {
    "authorizerName": limits.AUTHORIZER_NAME,
    "token": limits.TOKEN,
    "tokenSignature": limits.TOKEN_SIGNATURE,
    "httpContext.headers.key": limits.HEADER_NAME,
    "httpContext.headers.value": limits.HEADER_VALUE,
    "httpContext.queryString": limits.QUERY_STRING,
    "mqttContext.username": limits.MQTT_USERNAME,
    "mqttContext.password": limits.MQTT_PASSWORD,
    "mqttContext.clientId": limits.MQTT_CLIENT_ID,
    "tlsContext.serverName": limits.TLS_SERVER_NAME,
}
UPDATE = {
    "authorizerName": limits.AUTHORIZER_NAME,
    "authorizerFunctionArn": limits.AUTHORIZER_FUNCTION_ARN,
    "tokenKeyName": limits.TOKEN_KEY_NAME,
    "tokenSigningPublicKeys.key": limits.SIGNING_KEY_NAME,
    "tokenSigningPublicKeys.value": limits.SIGNING_KEY_VALUE,
}
# Members that have no length and no pattern: switches, an enumeration, and tags, which gatecrash leaves alone.
UNLIMITED_UPDATE = {"status", "enableCachingForHttp"}
UNLIMITED_CREATE = {*UNLIMITED_UPDATE, "signingDisabled", "tags"}


def leaves(operation):
    """The texts and blobs of an operation's input, by path, with the members that are neither."""
    texts, others = {}, set()

    def walk(path, shape_name):
        shape = SHAPES[shape_name]
        if shape["type"] == "structure":
            for name, member in shape["members"].items():
                walk(f"{path}.{name}" if path else name, member["shape"])
        elif shape["type"] == "map":
            walk(f"{path}.key", shape["key"]["shape"])
            walk(f"{path}.value", shape["value"]["shape"])
        elif shape["type"] in {"string", "blob"} and "enum" not in shape:
            texts[path] = shape
        else:
            others.add(path)

    walk("", MODEL["operations"][operation]["input"]["shape"])
    return texts, others


CASES = [
    (operation, path, limit)
    for operation, known in (("TestInvokeAuthorizer", TEST_INVOKE), ("CreateAuthorizer", UPDATE))
    for path, limit in known.items()
] + [("UpdateAuthorizer", path, limit) for path, limit in UPDATE.items()]


@pytest.mark.parametrize(
    ("operation", "path", "limit"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_members_limit_is_the_service_models(operation, path, limit):
    shape = leaves(operation)[0][path]
    assert (limit.minimum, limit.maximum, limit.pattern) == (shape.get("min", 0), shape["max"], shape.get("pattern"))


@pytest.mark.parametrize(
    ("operation", "known", "unlimited"),
    [
        ("TestInvokeAuthorizer", TEST_INVOKE, set()),
        ("CreateAuthorizer", UPDATE, UNLIMITED_CREATE),
        ("UpdateAuthorizer", UPDATE, UNLIMITED_UPDATE),
    ],
)
def test_no_member_of_the_operations_input_is_unknown(operation, known, unlimited):
    texts, others = leaves(operation)
    assert set(texts) == set(known)
    assert others == unlimited


def test_the_principals_limit_is_the_service_models():
    shape = SHAPES[SHAPES["TestInvokeAuthorizerResponse"]["members"]["principalId"]["shape"]]
    limit = limits.PRINCIPAL_ID
    assert (limit.minimum, limit.maximum, limit.pattern) == (shape["min"], shape["max"], shape["pattern"])


def test_lengths_are_counted_in_utf_16_units():
    assert limits.utf16_length("aé😀") == 4
    assert limits.MemberLimit(1, 2).allows("😀")
    assert not limits.MemberLimit(1, 2).allows("😀a")


def test_word_characters_are_ascii_ones():
    assert limits.AUTHORIZER_NAME.allows("my=auth,@-x_1")
    assert not limits.AUTHORIZER_NAME.allows("müller")


def test_a_line_break_at_the_end_breaks_a_pattern():
    assert not limits.PRINCIPAL_ID.allows("device1\n")
    assert not limits.TOKEN_SIGNATURE.allows("YWJj\n")


@pytest.mark.parametrize("signature", ["YQ==", "YWI=", "YWJj", "+/"])
def test_a_signature_is_standard_base64(signature):
    assert limits.TOKEN_SIGNATURE.allows(signature)


@pytest.mark.parametrize("signature", ["", "=", "-_", "YQ===", "YQ= ", "YQ==\n"])
def test_a_signature_is_nothing_else(signature):
    assert not limits.TOKEN_SIGNATURE.allows(signature)
