"""Environments, or the gateway, without processor time for a while: whatever the gateway ends is no handler's fault."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time

import psutil

from gatecrash.authorizers.gateway import environments
from gatecrash.authorizers.gateway.functions import command_function
from tests.authorizers.gateway.serving import handler, serving

# A runtime client that does something after its first answer, before it asks for the next event.
CLIENT = """
import json, os, signal, sys, time, urllib.request
api = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation/"
count = 0
while True:
    with urllib.request.urlopen(api + "next") as response:
        request_id = response.headers["Lambda-Runtime-Aws-Request-Id"]
    count += 1
    answer = {"isAuthenticated": True, "principalId": f"n{count}", "policyDocuments": []}
    urllib.request.urlopen(api + request_id + "/response", json.dumps(answer).encode()).close()
    if count == 1:
        exec(sys.argv[1])
"""
STOPS = "os.kill(os.getpid(), signal.SIGSTOP)"


def client_that(tmp_path, does):
    (tmp_path / "client.py").write_text(CLIENT, encoding="utf-8")
    return command_function("client", [sys.executable, "client.py", does], tmp_path)


async def wait_until_stopped(process: int) -> None:
    while psutil.Process(process).status() != psutil.STATUS_STOPPED:
        await asyncio.sleep(0.01)


def outcome(reply):
    return reply.status, reply.body.get("principalId"), reply.environment


def test_an_environment_that_was_stopped_after_its_answer_handles_the_next_event(tmp_path):
    async def run() -> None:
        async with serving(client_that(tmp_path, STOPS), concurrency=1) as client:
            assert outcome(await client.invoke()) == (200, "n1", "client-1")
            [process] = client.environments
            await wait_until_stopped(process)
            asyncio.get_running_loop().call_later(1.5, os.kill, process, signal.SIGCONT)
            assert outcome(await client.invoke()) == (200, "n2", "client-1")

    asyncio.run(run())


def test_a_call_that_waits_too_long_for_an_environment_gets_another_one(tmp_path):
    async def run() -> None:
        async with serving(client_that(tmp_path, STOPS), concurrency=2) as client:
            assert [outcome(await client.invoke()) for _ in range(2)] == [
                (200, "n1", "client-1"),
                (200, "n1", "client-2"),
            ]

    asyncio.run(run())


def test_a_call_behind_an_environment_that_the_gateway_ends_gets_another_one(tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "_NEXT_SECONDS_MAXIMUM", 0.2)

    async def run() -> None:
        async with serving(client_that(tmp_path, STOPS), concurrency=1) as client:
            assert outcome(await client.invoke()) == (200, "n1", "client-1")
            [process] = client.environments
            assert outcome(await client.invoke()) == (200, "n1", "client-2")
            assert process not in client.environments

    asyncio.run(run())


def test_an_environment_that_asks_while_the_gateway_does_not_run_is_not_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "_NEXT_SECONDS_MAXIMUM", 0.6)

    async def run() -> None:
        async with serving(client_that(tmp_path, "time.sleep(0.2)"), concurrency=1) as client:
            assert outcome(await client.invoke()) == (200, "n1", "client-1")
            time.sleep(1)
            assert outcome(await client.invoke()) == (200, "n2", "client-1")

    asyncio.run(run())


def test_an_environment_that_is_ended_while_it_asks_gets_no_event(tmp_path, monkeypatch):
    kill = os.killpg

    def kill_late(*arguments) -> None:
        with contextlib.suppress(ProcessLookupError):
            kill(*arguments)

    # A process needs processor time to end, too.
    monkeypatch.setattr(os, "killpg", lambda *arguments: threading.Timer(0.3, kill_late, arguments).start())

    async def run() -> None:
        async with serving(client_that(tmp_path, "time.sleep(0.2)"), concurrency=1) as client:
            assert outcome(await client.invoke()) == (200, "n1", "client-1")
            [environment] = client.gateway._pools[0]._finishing
            time.sleep(0.5)
            environment._kill()
            assert outcome(await client.invoke()) == (200, "n1", "client-2")

    asyncio.run(run())


def test_an_answer_that_came_while_the_gateway_did_not_run_counts(tmp_path):
    source = """
        import time

        def handler(event, context):
            time.sleep(0.3)
            return {"isAuthenticated": True, "principalId": "intime", "policyDocuments": []}
    """

    async def run() -> None:
        async with serving(handler(tmp_path, source), provisioned=1, timeout=0.6) as client:
            call = asyncio.create_task(client.invoke())
            await asyncio.sleep(0.1)
            time.sleep(1)
            assert outcome(await call) == (200, "intime", "authorizer-1")

    asyncio.run(run())
