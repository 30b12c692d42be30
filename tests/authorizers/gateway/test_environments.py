"""Lambda's semantics: environments that are reused, started on demand, limited, and gone with the gateway."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gatecrash.authorizers import wire
from gatecrash.authorizers.gateway.functions import command_function
from gatecrash.authorizers.gateway.settings import AuthorizerSettings
from tests.authorizers.gateway.serving import handler, serving

COUNTING = """
    import os, time

    count = 0

    def handler(event, context):
        global count
        count += 1
        time.sleep(float(event["protocolData"]["mqtt"].get("username", "0")))
        return {"isAuthenticated": True, "principalId": f"n{count}p{os.getpid()}", "policyDocuments": []}
"""


def gone(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").rpartition(") ")[2].startswith("Z")
    except FileNotFoundError:
        return True


def eventually(condition, seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_an_environment_is_cold_once_and_keeps_its_globals(tmp_path):
    async def run() -> None:
        async with serving(handler(tmp_path, COUNTING)) as client:
            replies = [await client.invoke() for _ in range(3)]
        assert [reply.cold_start for reply in replies] == [True, False, False]
        assert [reply.body["principalId"].partition("p")[0] for reply in replies] == ["n1", "n2", "n3"]
        assert {reply.environment for reply in replies} == {"authorizer-1"}
        assert all(0 < float(reply.headers["x-gatecrash-handler-seconds"]) < 5 for reply in replies)

    asyncio.run(run())


def test_events_at_the_same_time_get_environments_of_their_own_until_there_may_be_no_more(tmp_path):
    async def run() -> None:
        async with serving(handler(tmp_path, COUNTING), provisioned=2, concurrency=2) as client:
            replies = await asyncio.gather(*(client.tell("0.4") for _ in range(5)))
            answered = [reply for reply in replies if reply.status == 200]
            throttled = [reply for reply in replies if reply.status == 400]
            assert {reply.environment for reply in answered} == {"authorizer-1", "authorizer-2"}
            assert [(reply.code, reply.message) for reply in throttled] == [
                ("ThrottlingException", "Rate exceeded")
            ] * 3
            assert (await client.invoke()).status == 200

    asyncio.run(run())


def test_callers_in_turn_are_never_throttled(tmp_path):
    async def caller(client) -> set[int]:
        return {(await client.invoke()).status for _ in range(100)}

    async def run() -> None:
        async with serving(handler(tmp_path, COUNTING), provisioned=2, concurrency=2) as client:
            assert await asyncio.gather(caller(client), caller(client)) == [{200}, {200}]
            assert len(client.environments) == 2

    asyncio.run(run())


def test_an_environment_that_dies_while_idle_is_replaced(tmp_path):
    async def run() -> None:
        async with serving(handler(tmp_path, COUNTING), concurrency=1) as client:
            first = await client.invoke()
            [process] = client.environments
            os.kill(process, signal.SIGKILL)
            while client.environments:
                await asyncio.sleep(0.01)
            second = await client.invoke()
            assert (first.environment, second.environment) == ("authorizer-1", "authorizer-2")
            assert second.cold_start

    asyncio.run(run())


def test_environments_are_gone_after_close(tmp_path):
    async def run() -> list[int]:
        async with serving(handler(tmp_path, COUNTING), provisioned=3) as client:
            waiting = asyncio.create_task(client.tell("4"))
            await asyncio.sleep(0.2)
            processes = list(client.environments)
            waiting.cancel()
            return processes

    started = time.monotonic()
    processes = asyncio.run(run())
    assert len(processes) == 3
    assert all(map(gone, processes))
    assert time.monotonic() - started < 3


def test_several_functions_are_told_apart_by_their_arn(tmp_path):
    one = handler(tmp_path, COUNTING, "one.py")
    two = handler(tmp_path, COUNTING, "two.py")
    authorizers = (AuthorizerSettings("first", "one"), AuthorizerSettings("second", "two"))

    async def run() -> None:
        async with serving(one, two, authorizers=authorizers) as client:
            assert (await client.invoke(name="first")).environment == "one-1"
            assert (await client.invoke(name="second")).environment == "two-1"
            arn = "arn:aws:lambda:us-east-1:123456789012:function:three"
            body = {"authorizerFunctionArn": arn, "signingDisabled": True}
            assert (await client.send("POST", "/authorizer/third", wire.encode(body))).status == 200
            reply = await client.invoke(name="third")
            assert (reply.code, "Function not found" in reply.message) == ("InvalidResponseException", True)

    asyncio.run(run())


def test_lambdas_variables_and_context(tmp_path, monkeypatch):
    monkeypatch.setenv("OF_THE_PERSON", "kept")
    monkeypatch.setenv("AWS_LAMBDA_MAX_CONCURRENCY", "7")
    source = """
        import json, os

        def handler(event, context):
            names = ("AWS_LAMBDA_FUNCTION_NAME", "AWS_REGION", "_HANDLER", "OF_THE_PERSON", "LAMBDA_TASK_ROOT")
            seen = {name: os.environ.get(name) for name in names}
            seen["left"] = context.get_remaining_time_in_millis()
            seen["arn"] = context.invoked_function_arn
            seen["folder"] = os.getcwd()
            seen["multi"] = "AWS_LAMBDA_MAX_CONCURRENCY" in os.environ
            return {"isAuthenticated": True, "principalId": "p", "policyDocuments": [seen]}
    """

    async def run() -> dict[str, object]:
        async with serving(handler(tmp_path, source), region="eu-west-1", timeout=2.0) as client:
            return wire.decode((await client.invoke()).body["policyDocuments"][0].encode())

    seen = asyncio.run(run())
    assert 1000 < seen.pop("left") <= 2000
    assert seen == {
        "AWS_LAMBDA_FUNCTION_NAME": "authorizer",
        "AWS_REGION": "eu-west-1",
        "_HANDLER": "authorizer.handler",
        "OF_THE_PERSON": "kept",
        "LAMBDA_TASK_ROOT": str(tmp_path),
        "arn": "arn:aws:lambda:eu-west-1:123456789012:function:authorizer",
        "folder": str(tmp_path),
        "multi": False,
    }


def test_any_runtime_client_by_its_command(tmp_path):
    client_source = """
import json, os, urllib.request
api = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as response:
        request_id = response.headers["Lambda-Runtime-Aws-Request-Id"]
    answer = {"isAuthenticated": True, "principalId": "own", "policyDocuments": []}
    urllib.request.urlopen(api + request_id + "/response", json.dumps(answer).encode()).close()
"""
    (tmp_path / "bootstrap.py").write_text(client_source, encoding="utf-8")

    async def run() -> None:
        async with serving(command_function("own", [sys.executable, "bootstrap.py"], tmp_path)) as client:
            replies = [await client.invoke() for _ in range(3)]
            assert [reply.body["principalId"] for reply in replies] == ["own"] * 3
            assert {reply.environment for reply in replies} == {"own-1"}

    asyncio.run(run())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a process with its parent")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_environments_die_with_the_gateways_process(tmp_path, number):
    hanging = handler(tmp_path, "import time\nprint('init', flush=True)\ndef handler(e, c): time.sleep(60)")
    settings = {"handler": f"{hanging.folder}/authorizer.py:handler", "authorizer": "auth", "provisioned": 2}
    with subprocess.Popen(
        [sys.executable, "-m", "gatecrash.authorizers.gateway"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as gateway:
        assert gateway.stdin is not None
        assert gateway.stdout is not None
        gateway.stdin.write(wire.encode(settings) + b"\n")
        gateway.stdin.flush()
        assert wire.decode(gateway.stdout.readline())["url"].startswith("http://127.0.0.1:")
        listed = Path(f"/proc/{gateway.pid}/task/{gateway.pid}/children").read_text(encoding="utf-8")
        children = [int(text) for text in listed.split()]
        assert len(children) == 2
        gateway.send_signal(number)
        assert gateway.wait(5) == (0 if number == signal.SIGTERM else -signal.SIGKILL)
    assert eventually(lambda: all(map(gone, children)))
