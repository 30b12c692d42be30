"""Authorizers as people's set-up scripts make, change, list and delete them."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gatecrash.authorizers.errors import (
    ApiError,
    DeleteConflictError,
    InvalidRequestError,
    ResourceAlreadyExistsError,
    ResourceNotFoundError,
)
from gatecrash.authorizers.service.registry import Registry

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"
UNSIGNED = {"authorizerFunctionArn": ARN, "signingDisabled": True}


def pem_of(key) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


PEM = pem_of(rsa.generate_private_key(65537, 2048))
SMALL = pem_of(rsa.generate_private_key(65537, 1024))
LARGE = pem_of(rsa.generate_private_key(65537, 3072))
CURVE = pem_of(ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture
def registry() -> Registry:
    ticks = iter(range(1, 10_000))
    return Registry("us-east-1", "123456789012", lambda: float(next(ticks)))


def signed(**keys: str) -> dict:
    return {"authorizerFunctionArn": ARN, "tokenKeyName": "T", "tokenSigningPublicKeys": keys}


def test_describing_what_was_created(registry):
    assert registry.create("one", UNSIGNED).summary() == {
        "authorizerName": "one",
        "authorizerArn": "arn:aws:iot:us-east-1:123456789012:authorizer/one",
    }
    assert registry.get("one").description() == {
        "authorizerName": "one",
        "authorizerArn": "arn:aws:iot:us-east-1:123456789012:authorizer/one",
        "authorizerFunctionArn": ARN,
        "tokenKeyName": None,
        "tokenSigningPublicKeys": None,
        "status": "INACTIVE",
        "creationDate": 1.0,
        "lastModifiedDate": 1.0,
        "signingDisabled": True,
        "enableCachingForHttp": False,
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {},
            (
                "1 validation error detected: Value at 'authorizerFunctionArn' failed to satisfy constraint: "
                "Member must not be null"
            ),
        ),
        ({"authorizerFunctionArn": "f"}, "Lambda function arn for authorizer one is not in proper ARN syntax"),
        ({"authorizerFunctionArn": ARN}, "Token key name for authorizer one cannot be null"),
        (
            {"authorizerFunctionArn": ARN, "tokenKeyName": "T"},
            (
                "Token signing keys map for authorizer one cannot be null or empty. There must be at least one and at "
                "most two token signing public keys in the map"
            ),
        ),
        (
            {**UNSIGNED, "tokenSigningPublicKeys": {"k": PEM}},
            "Token signing keys map must be null for authorizer one if using optional signature header",
        ),
        (signed(a=PEM, b=PEM, c=PEM), "Token signing keys map for authorizer one cannot contain more than 2 keys"),
        (signed(k1=CURVE), "Authorizer one public key for key name k1 not a valid RSA key"),
        (
            signed(k1=SMALL),
            "Authorizer one public key for key name k1 invalid: Key must be 2048 bits but was 1024 bits",
        ),
        (signed(k1="no key"), "Cannot convert public key PEM for authorizer one to RSA key"),
        (signed(k1=PEM.replace("\n", "")), "Cannot convert public key PEM for authorizer one to RSA key"),
        (signed(k1="".join(PEM.splitlines()[1:-1])), "Cannot convert public key PEM for authorizer one to RSA key"),
        (
            {**UNSIGNED, "status": "OFF"},
            (
                "1 validation error detected: Value at 'status' failed to satisfy constraint: "
                "Member must satisfy enum value set: [ACTIVE, INACTIVE]"
            ),
        ),
        (
            {**UNSIGNED, "tokenKeyName": "a b"},
            (
                "1 validation error detected: Value at 'tokenKeyName' failed to satisfy constraint: "
                "Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+"
            ),
        ),
        ({**UNSIGNED, "signingDisabled": "yes"}, "signingDisabled must be a boolean"),
    ],
)
def test_what_no_authorizer_can_be(registry, body, message):
    with pytest.raises(InvalidRequestError) as caught:
        registry.create("one", body)
    assert caught.value.message == message


@pytest.mark.parametrize("pem", [PEM, LARGE, "text before\n" + PEM, PEM.replace("\n", "\r\n")])
def test_keys_are_kept_as_they_were_given(registry, pem):
    registry.create("one", signed(k=pem))
    assert registry.get("one").description()["tokenSigningPublicKeys"] == {"k": pem}


def test_a_name_is_taken_once(registry):
    registry.create("one", UNSIGNED)
    with pytest.raises(ResourceAlreadyExistsError) as caught:
        registry.create("one", UNSIGNED)
    assert caught.value.message == "Authorizer one already exist for this account"


def test_updating_changes_what_is_given_and_adds_keys(registry):
    registry.create("one", signed(a=PEM))
    registry.update("one", {"status": "ACTIVE", "enableCachingForHttp": True})
    registry.update("one", {"tokenSigningPublicKeys": {"b": LARGE}, "signingDisabled": True})
    authorizer = registry.get("one")
    assert (authorizer.status, authorizer.caching_for_http, authorizer.signing_disabled) == ("ACTIVE", True, False)
    assert authorizer.signing_keys == {"a": PEM, "b": LARGE}
    assert (authorizer.created, authorizer.modified) == (1.0, 3.0)
    with pytest.raises(InvalidRequestError) as caught:
        registry.update("one", {"tokenSigningPublicKeys": {"c": PEM}})
    assert caught.value.message == ("Number of signing keys for authorizer one must neither be zero nor greater than 2")
    with pytest.raises(ResourceNotFoundError):
        registry.update("two", {})


def test_deleting(registry):
    registry.create("one", {**UNSIGNED, "status": "ACTIVE"})
    with pytest.raises(InvalidRequestError) as active:
        registry.delete("one")
    assert active.value.message == (
        "Cannot delete authorizer one in ACTIVE status. Update status to INACTIVE and delete."
    )
    registry.set_default("one")
    registry.update("one", {"status": "INACTIVE"})
    with pytest.raises(DeleteConflictError) as default:
        registry.delete("one")
    assert default.value.message == "Cannot delete default authorizer one. Change default and retry delete."
    registry.clear_default()
    registry.delete("one")
    with pytest.raises(ResourceNotFoundError) as missing:
        registry.delete("one")
    assert missing.value.message == "Authorizer one not found"


def test_the_default_authorizer(registry):
    for missing in (registry.default, registry.clear_default):
        with pytest.raises(ResourceNotFoundError) as caught:
            missing()
        assert caught.value.message == "Default authorizer not found"
    registry.create("one", UNSIGNED)
    registry.set_default("one")
    assert registry.default().name == "one"
    with pytest.raises(ResourceAlreadyExistsError):
        registry.set_default("one")


def test_listing_newest_first_in_pages(registry):
    for number in range(5):
        registry.create(f"n{number}", {**UNSIGNED, "status": "ACTIVE" if number % 2 else "INACTIVE"})
    seen, marker = [], None
    while True:
        page, marker = registry.page({"pageSize": "2"} | ({"marker": marker} if marker else {}))
        seen += [one.name for one in page]
        if marker is None:
            break
    assert seen == ["n4", "n3", "n2", "n1", "n0"]
    assert [one.name for one in registry.page({"isAscendingOrder": "true", "status": "ACTIVE"})[0]] == ["n1", "n3"]
    for wrong in ({"pageSize": "0"}, {"pageSize": "x"}, {"pageSize": "251"}, {"marker": "%"}, {"status": "OFF"}):
        with pytest.raises(ApiError):
            registry.page(wrong)
