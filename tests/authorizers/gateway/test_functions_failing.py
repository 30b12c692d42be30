"""A handler that crashes, hangs, prints, exits or talks nonsense is reported as what it is, and the gateway lives."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.authorizers.gateway.serving import ALLOW, Client, handler, serving

HANDLER = (
    """
    import os, signal, subprocess, sys, time
"""
    + ALLOW
    + """
    def handler(event, context):
        match event["protocolData"]["mqtt"].get("username"):
            case "raise": raise ValueError("no such device")
            case "hang": time.sleep(60)
            case "hang with a child": subprocess.run(["sleep", "60"])
            case "exit": os._exit(3)
            case "exit well": os._exit(0)
            case "die": os.kill(os.getpid(), signal.SIGKILL)
            case "system exit": sys.exit(5)
            case "print":
                print("x" * 5_000_000)
                sys.stderr.write("y" * 1_000_000)
            case "nonsense": return "nonsense"
            case "nothing": return None
            case "bytes": return b"\\xff"
            case "object": return object()
            case "deny": return {"isAuthenticated": False}
            case "large": return {"filler": "x" * 10_000_000}
            case "serialised": return __import__("json").dumps(ANSWER)
        return ANSWER
"""
)
FAILED = "Lambda function encountered error in execution: "


def tell_each(
    tmp_path: Path, *usernames: str, **settings: object
) -> list[tuple[int, str | None, str | None, str | None]]:
    async def run() -> list[tuple[int, str | None, str | None, str | None]]:
        async with serving(handler(tmp_path, HANDLER), concurrency=1, **settings) as client:
            found = []
            for username in usernames:
                reply = await client.tell(username)
                found.append((reply.status, reply.code, reply.message, reply.headers.get("x-gatecrash-error-type")))
                await alive(client)
            return found

    return asyncio.run(run())


async def alive(client: Client) -> None:
    """With one environment only, this also shows that its place is free at once."""
    reply = await client.invoke()
    assert (reply.status, reply.body.get("isAuthenticated")) == (200, True), reply


def test_a_handler_that_raises(tmp_path):
    [(status, code, message, error_type)] = tell_each(tmp_path, "raise")
    assert (status, code) == (400, "InvalidResponseException")
    assert message == f"{FAILED}no such device: ValueError"
    assert error_type == "ValueError"


def test_a_handler_that_ends_its_process(tmp_path):
    found = tell_each(tmp_path, "exit", "exit well", "die", "system exit")
    assert [error_type for *_, error_type in found] == ["Runtime.ExitError"] * 4
    ends = ["exit status 3", "without providing a reason", "signal: killed", "exit status 5"]
    for (_, code, message, _), end in zip(found, ends, strict=True):
        assert code == "InvalidResponseException"
        assert message.startswith(f"{FAILED}RequestId: ")
        assert message.endswith(f"{end}: Runtime.ExitError")


def test_a_handler_that_hangs(tmp_path):
    for _, code, message, error_type in tell_each(tmp_path, "hang", "hang with a child", timeout=0.3):
        assert (code, error_type) == ("InvalidResponseException", "Sandbox.Timedout")
        assert message.endswith("Error: Task timed out after 0.30 seconds: Sandbox.Timedout")


def test_answers_that_are_none(tmp_path):
    for _, code, message, _ in tell_each(tmp_path, "nonsense", "nothing", "bytes"):
        assert (code, message) == ("InvalidResponseException", "Lambda invocation result is in invalid format")
    [(_, _, message, error_type)] = tell_each(tmp_path, "object")
    assert "not JSON serializable" in message
    assert error_type == "Runtime.MarshalError"


def test_a_denial_alone_is_no_answer(tmp_path):
    [(_, code, message, _)] = tell_each(tmp_path, "deny")
    assert code == "InvalidResponseException"
    assert message.startswith("null at principalId failed to satisfy constraint")


def test_an_answer_over_lambdas_limit(tmp_path):
    [(_, code, message, error_type)] = tell_each(tmp_path, "large")
    assert (code, error_type) == ("InvalidResponseException", "Function.ResponseSizeTooLarge")
    assert "exceeded maximum allowed payload size (6291556 bytes)." in message


def test_a_handler_that_prints_megabytes(tmp_path, capfd):
    async def run() -> None:
        async with serving(handler(tmp_path, HANDLER), concurrency=1) as client:
            # Much more than a pipe holds.
            assert (await client.tell("print")).status == 200
            await alive(client)

    asyncio.run(run())
    assert capfd.readouterr() == ("", "")


def test_output_is_shown_when_asked(tmp_path, capfd):
    async def run() -> None:
        async with serving(
            handler(tmp_path, "def handler(event, context): print('hello')"), show_handler_output=True
        ) as c:
            await c.invoke()

    asyncio.run(run())
    assert capfd.readouterr().err == "hello\n"


def test_a_serialised_answer_is_taken_with_a_note(tmp_path):
    async def run() -> None:
        async with serving(handler(tmp_path, HANDLER)) as client:
            reply = await client.tell("serialised")
            assert reply.status == 200
            assert reply.headers["x-gatecrash-notes"] == "serialised_answer"

    asyncio.run(run())


def test_functions_that_cannot_be_initialised(tmp_path):
    sources = {
        "import.py": "import no_such_module_anywhere",
        "missing.py": "x = 1",
        "syntax.py": "def (",
        "raising.py": "raise RuntimeError('at import')",
        "exiting.py": "import os; os._exit(9)",
    }
    kinds = [
        "Runtime.ImportModuleError",
        "Runtime.HandlerNotFound",
        "Runtime.UserCodeSyntaxError",
        "RuntimeError",
        "Runtime.ExitError",
    ]

    async def run(name: str, source: str, kind: str) -> None:
        async with serving(handler(tmp_path, source, name), provisioned=1) as client:
            assert [error.error_type for error in client.gateway.init_errors] == [kind]
            reply = await client.invoke()
            assert (reply.code, reply.headers["x-gatecrash-error-type"]) == ("InvalidResponseException", kind)
            assert reply.message.startswith(FAILED)

    async def run_all() -> None:
        await asyncio.gather(*(run(*one, kind) for one, kind in zip(sources.items(), kinds, strict=True)))

    asyncio.run(run_all())
