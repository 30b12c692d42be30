"""The Lambda Runtime API, as a runtime client of any language meets it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO

import aiohttp

from gatecrash.authorizers.gateway.runtime_api import RuntimeApi, RuntimeEvent, RuntimeResult
from gatecrash.authorizers.limits import LAMBDA_PAYLOAD_BYTES_MAXIMUM


class Seen:
    def __init__(self) -> None:
        self.idle = asyncio.Event()
        self.results: list[RuntimeResult] = []
        self.init_errors: list[RuntimeResult] = []


def event(request_id: str) -> RuntimeEvent:
    return RuntimeEvent(request_id, b'{"a":1}', 1234, "arn:aws:lambda:::function:f")


@asynccontextmanager
async def running() -> AsyncIterator[tuple[RuntimeApi, Seen, aiohttp.ClientSession]]:
    seen = Seen()
    api = RuntimeApi(seen.idle.set, seen.results.append, seen.init_errors.append)
    address = await api.start()
    try:
        async with aiohttp.ClientSession(f"http://{address}/2018-06-01/runtime/") as session:
            yield api, seen, session
    finally:
        await api.close()


async def poll(api: RuntimeApi, seen: Seen, session: aiohttp.ClientSession, request_id: str) -> aiohttp.ClientResponse:
    seen.idle.clear()
    polling = asyncio.create_task(session.get("invocation/next"))
    await seen.idle.wait()
    api.send(event(request_id))
    return await polling


def test_an_event_and_its_answer():
    async def run() -> None:
        async with running() as (api, seen, session):
            async with await poll(api, seen, session, "id-1") as response:
                assert response.headers["Lambda-Runtime-Aws-Request-Id"] == "id-1"
                assert response.headers["Lambda-Runtime-Deadline-Ms"] == "1234"
                assert response.headers["Lambda-Runtime-Invoked-Function-Arn"] == "arn:aws:lambda:::function:f"
                assert response.headers["Lambda-Runtime-Trace-Id"].startswith("Root=1-")
                assert (response.content_type, await response.read()) == ("application/json", b'{"a":1}')
            for request_id, status in [("other", 400), ("id-1", 202), ("id-1", 400)]:
                async with session.post(f"invocation/{request_id}/response", data=b"{}") as response:
                    assert response.status == status
            assert seen.results == [RuntimeResult(b"{}")]

    asyncio.run(run())


def test_errors_of_a_function():
    async def run() -> None:
        async with running() as (api, seen, session):
            bodies = [b'{"errorType": "T", "errorMessage": "m"}', b"{}", b"no JSON", b"[]"]
            for number, body in enumerate(bodies):
                (await poll(api, seen, session, f"id-{number}")).close()
                headers = {"Lambda-Runtime-Function-Error-Type": "Of.Header"}
                async with session.post(f"invocation/id-{number}/error", data=body, headers=headers) as response:
                    assert response.status == 202
            assert seen.results == [
                RuntimeResult(None, "T", "m"),
                *[RuntimeResult(None, "Of.Header", "")] * 3,
            ]
            async with session.post("init/error", data=bodies[0]) as response:
                assert response.status == 202
            assert seen.init_errors == [RuntimeResult(None, "T", "m")]

    asyncio.run(run())


def test_the_largest_answer_and_one_that_is_larger():
    async def run() -> None:
        async with running() as (api, seen, session):
            for size, status in [(LAMBDA_PAYLOAD_BYTES_MAXIMUM, 202), (LAMBDA_PAYLOAD_BYTES_MAXIMUM + 1, 413)]:
                (await poll(api, seen, session, "id")).close()
                async with session.post("invocation/id/response", data=BytesIO(b" " * size)) as response:
                    assert response.status == status
            assert [result.error_type for result in seen.results] == ["", "Function.ResponseSizeTooLarge"]

    asyncio.run(run())


def test_a_client_that_gives_up_a_poll_may_come_again():
    async def run() -> None:
        async with running() as (api, seen, session):
            lost = asyncio.create_task(session.get("invocation/next"))
            await seen.idle.wait()
            lost.cancel()
            async with await poll(api, seen, session, "id-1") as response:
                assert response.headers["Lambda-Runtime-Aws-Request-Id"] == "id-1"

    asyncio.run(run())


def test_unknown_paths():
    async def run() -> None:
        async with running() as (_, _, session):
            for path in ("/", "/2018-06-01/runtime/invocation", "/2018-06-01/runtime/restore/next"):
                async with session.get(path) as response:
                    assert response.status == 404

    asyncio.run(run())
