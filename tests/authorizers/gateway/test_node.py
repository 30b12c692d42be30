"""Handlers in another language: Node.js under the runtime client that the gateway brings along."""

from __future__ import annotations

import asyncio

import pytest

from tests.authorizers.gateway.serving import handler, serving

pytestmark = pytest.mark.node

ASYNC = """
    let count = 0;
    const answer = (principalId) => ({ isAuthenticated: true, principalId, policyDocuments: [] });

    export async function handler(event, context) {
      count += 1;
      switch (event.protocolData.mqtt.username) {
        case "raise": throw new TypeError("no such device");
        case "exit": process.exit(4);
        case "hang": return new Promise(() => setInterval(() => {}, 1000));
        case "outside": setTimeout(() => { throw new RangeError("outside"); }, 0); return new Promise(() => {});
        case "large": return { filler: "x".repeat(10_000_000) };
        case "print": console.log("x".repeat(3_000_000));
      }
      if (context.getRemainingTimeInMillis() <= 0) throw new Error("no time");
      return answer(`n${count}`);
    }
"""
CALLBACK = """
    exports.handler = (event, context, callback) => {
      setTimeout(() => callback(null, { isAuthenticated: false, principalId: "cb", policyDocuments: [] }), 10);
    };
"""


def test_an_asynchronous_handler_and_its_faults(tmp_path):
    async def run() -> None:
        async with serving(handler(tmp_path, ASYNC, "authorizer.mjs"), concurrency=1, timeout=1.0) as client:
            assert [(await client.invoke()).body["principalId"] for _ in range(3)] == ["n1", "n2", "n3"]
            kinds = {
                "raise": "TypeError",
                "exit": "Runtime.ExitError",
                "hang": "Sandbox.Timedout",
                "outside": "RangeError",
                "large": "Function.ResponseSizeTooLarge",
            }
            for username, kind in kinds.items():
                reply = await client.tell(username)
                assert (reply.code, reply.headers["x-gatecrash-error-type"]) == ("InvalidResponseException", kind)
                assert (await client.tell("print")).status == 200

    asyncio.run(run())


def test_a_handler_with_a_callback(tmp_path):
    async def run() -> None:
        async with serving(handler(tmp_path, CALLBACK, "authorizer.cjs")) as client:
            reply = await client.invoke()
            assert (reply.status, reply.body["isAuthenticated"], reply.body["principalId"]) == (200, False, "cb")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("source", "kind"),
    [("export const x = 1;", "Runtime.HandlerNotFound"), ("syntax error here", "SyntaxError")],
)
def test_a_file_without_a_handler(tmp_path, source, kind):
    async def run() -> None:
        async with serving(handler(tmp_path, source, "authorizer.mjs"), provisioned=1) as client:
            assert [error.error_type for error in client.gateway.init_errors] == [kind]
            assert (await client.invoke()).headers["x-gatecrash-error-type"] == kind

    asyncio.run(run())
