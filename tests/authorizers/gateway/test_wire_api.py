"""The wire protocol: routes, errors, events, signatures and quotas, as a client of the API sees them."""

from __future__ import annotations

import asyncio
import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gatecrash.authorizers import wire
from gatecrash.authorizers.event import Dialect
from gatecrash.authorizers.gateway.faults import FaultSettings
from gatecrash.authorizers.gateway.settings import AuthorizerSettings
from tests.authorizers.gateway.serving import CONTEXT, Client, handler, serving

ECHO = """
    def handler(event, context):
        return {"isAuthenticated": True, "principalId": "p", "policyDocuments": [event]}
"""


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def public_pem(key: rsa.RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def signature(key: rsa.RSAPrivateKey, token: str) -> str:
    return base64.b64encode(key.sign(token.encode(), PKCS1v15(), SHA256())).decode()


async def event_of(client: Client, body: dict) -> dict:
    reply = await client.invoke(body)
    assert reply.status == 200, reply
    return wire.decode(reply.body["policyDocuments"][0].encode())


def test_an_answer_has_the_services_form(tmp_path):
    async def run() -> None:
        async with serving(handler(tmp_path, ECHO)) as client:
            reply = await client.invoke()
            assert reply.status == 200
            assert reply.headers["content-type"] == "application/json"
            assert len(reply.headers["x-amzn-requestid"]) == 36
            assert reply.code is None
            assert list(reply.body) == [
                "disconnectAfterInSeconds",
                "isAuthenticated",
                "policyDocuments",
                "principalId",
                "refreshAfterInSeconds",
            ]
            assert (reply.body["refreshAfterInSeconds"], reply.body["disconnectAfterInSeconds"]) == (300, 86400)

    asyncio.run(run())


def test_errors_of_the_wire(tmp_path):
    async def run() -> None:
        async with serving(handler(tmp_path, ECHO)) as client:
            unsigned = await client.send("POST", "/authorizer/auth/test", b"{}", headers={})
            assert (unsigned.status, unsigned.code) == (403, "MissingAuthenticationTokenException")
            assert unsigned.message == "Missing Authentication Token"
            basic = await client.send("POST", "/authorizer/auth/test", b"{}", headers={"Authorization": "Basic eA=="})
            assert basic.status == 403
            for method, path in [("GET", "/"), ("PATCH", "/authorizer/auth"), ("GET", "/authorizer/auth/test")]:
                assert (await client.send(method, path)).status == 404
            missing = await client.invoke(name="nobody")
            assert (missing.status, missing.code) == (404, "ResourceNotFoundException")
            assert missing.message == "Authorizer nobody not found"
            for junk in (b"{", b"{} junk", b"[]", b"null", b'{"token": 5}', b"\xff"):
                reply = await client.send("POST", "/authorizer/auth/test", junk)
                assert (reply.status, reply.code) == (400, "InvalidRequestException"), junk
            large = await client.send("POST", "/authorizer/auth/test", b" " * 3_000_000)
            assert large.status == 413

    asyncio.run(run())


def test_names_are_decoded_after_routing(tmp_path):
    async def run() -> None:
        async with serving(handler(tmp_path, ECHO), authorizers=(AuthorizerSettings("my=auth,@-x"),)) as client:
            assert (await client.invoke(name="my%3Dauth%2C%40-x", body=CONTEXT)).status == 200
            reply = await client.invoke(name="a%20b%2Fc%3F", body=CONTEXT)
            assert reply.message == (
                "1 validation error detected: Value at 'authorizerName' failed to satisfy constraint: "
                r"Member must satisfy regular expression pattern: [\w=,@-]+"
            )

    asyncio.run(run())


def test_both_dialects_of_the_event(tmp_path):
    body = {
        "httpContext": {"headers": {"Authorization": "x"}, "queryString": "?a=b"},
        "mqttContext": {"username": "u?k=v", "password": "/wB0ZXN0", "clientId": "c"},
        "tlsContext": {"serverName": "s"},
    }
    mqtt = {"username": "u?k=v", "password": "/wB0ZXN0", "clientId": "c"}

    async def run(dialect: Dialect) -> dict:
        async with serving(handler(tmp_path, ECHO), dialect=dialect) as client:
            first, second = await event_of(client, body), await event_of(client, body)
            assert first["connectionMetadata"]["id"] != second["connectionMetadata"]["id"]
            return first

    plain = asyncio.run(run(Dialect.TEST_INVOKE))
    assert list(plain) == ["protocolData", "protocols", "signatureVerified", "connectionMetadata"]
    assert plain["protocols"] == ["tls", "http", "mqtt"]
    assert plain["signatureVerified"] is False
    assert plain["protocolData"] == {
        "tls": {"serverName": "s"},
        "mqtt": mqtt,
        "http": {"headers": {"Authorization": "x"}, "queryString": "?a=b"},
    }
    device = asyncio.run(run(Dialect.DEVICE))
    assert device["protocolData"]["http"] == {"headers": {"authorization": "x"}, "queryString": "a=b"}


def test_lone_surrogates_and_nulls_reach_the_handler(tmp_path):
    async def run() -> None:
        async with serving(handler(tmp_path, ECHO)) as client:
            data = rb'{"mqttContext": {"username": "\ud800\u0000", "clientId": "c"}}'
            reply = await client.send("POST", "/authorizer/auth/test", data)
            assert reply.status == 200
            assert b"\\ud800" in reply.body["policyDocuments"][0].encode("utf-8", "backslashreplace")

    asyncio.run(run())


def test_tokens_and_their_signatures(tmp_path, key):
    signed = AuthorizerSettings("auth", signing_keys={"one": public_pem(key)}, token_key_name="Token")
    good, bad = signature(key, "tokén"), signature(key, "other")
    mismatch = "Token signature mismatch for authorizer auth"

    async def run() -> None:
        async with serving(handler(tmp_path, ECHO), authorizers=(signed,)) as client:
            event = await event_of(client, {"token": "tokén", "tokenSignature": good})
            assert list(event) == ["token", "signatureVerified", "connectionMetadata"]
            assert (event["token"], event["signatureVerified"]) == ("tokén", True)
            for wrong in (bad, "AAAA", "A"):
                reply = await client.invoke({"token": "tokén", "tokenSignature": wrong})
                assert (reply.code, reply.message) == ("InvalidRequestException", mismatch)
                # Lambda is not invoked.
                assert "x-gatecrash-environment" not in reply.headers
            headers = {"token": "tokén", "X-Amz-CustomAuthorizer-Signature": good}
            event = await event_of(client, {"httpContext": {"headers": headers}})
            assert (event["token"], event["signatureVerified"]) == ("tokén", True)
            headers["token"] = "other"
            assert (await client.invoke({"httpContext": {"headers": headers}})).message == mismatch
            reply = await client.invoke()
            assert (reply.code, reply.message) == ("InvalidRequestException", None)

    asyncio.run(run())


def test_an_inactive_authorizer_is_invoked_all_the_same(tmp_path):
    async def run() -> None:
        async with serving(
            handler(tmp_path, ECHO), authorizers=(AuthorizerSettings("auth", status="INACTIVE"),)
        ) as client:
            assert (await client.invoke()).status == 200

    asyncio.run(run())


def test_the_rate_of_api_calls(tmp_path):
    async def run() -> None:
        async with serving(handler(tmp_path, ECHO), calls_per_second=0.001, burst=3) as client:
            replies = [await client.invoke() for _ in range(5)]
            assert [reply.status for reply in replies] == [200, 200, 200, 400, 400]
            assert (replies[3].code, replies[3].message) == ("ThrottlingException", "Rate exceeded")
            # Each operation has a rate of its own.
            assert (await client.send("GET", "/authorizer/auth")).status == 200

    asyncio.run(run())


def test_faults_are_the_same_for_the_same_seed(tmp_path):
    faults = FaultSettings(errors={"ThrottlingException": 0.3, "InternalFailureException": 0.2}, crash_rate=0.2, seed=4)

    async def run() -> list[str | None]:
        async with serving(handler(tmp_path, ECHO), faults=faults) as client:
            return [(await client.invoke()).code for _ in range(20)]

    first, second = asyncio.run(run()), asyncio.run(run())
    assert first == second
    assert set(first) == {None, "ThrottlingException", "InternalFailureException", "InvalidResponseException"}


def test_added_latency(tmp_path):
    async def run() -> float:
        async with serving(handler(tmp_path, ECHO), provisioned=1, faults=FaultSettings(latency=0.3)) as client:
            started = asyncio.get_running_loop().time()
            assert (await client.invoke()).status == 200
            return asyncio.get_running_loop().time() - started

    assert asyncio.run(run()) >= 0.3
