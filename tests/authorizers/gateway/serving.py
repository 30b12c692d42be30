"""Starting a real gateway with a handler of a test's own, and asking it things."""

from __future__ import annotations

import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from yarl import URL

from gatecrash.authorizers import wire
from gatecrash.authorizers.gateway.functions import Function, parse_handler
from gatecrash.authorizers.gateway.gateway import RunningGateway, start
from gatecrash.authorizers.gateway.settings import AuthorizerSettings, GatewaySettings

SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=a/b/us-east-1/iot/aws4_request, SignedHeaders=host, Signature=0"
}
CONTEXT = {"mqttContext": {"clientId": "device-1"}}
ALLOW = """
    ANSWER = {"isAuthenticated": True, "principalId": "device1", "policyDocuments": [{"Version": "2012-10-17"}]}
"""


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def code(self) -> str | None:
        return self.headers.get("x-amzn-errortype")

    @property
    def message(self) -> str | None:
        return self.body["message"]

    @property
    def environment(self) -> str:
        return self.headers["x-gatecrash-environment"]

    @property
    def cold_start(self) -> bool:
        return self.headers["x-gatecrash-cold-start"] == "1"


class Client:
    def __init__(self, session: aiohttp.ClientSession, gateway: RunningGateway) -> None:
        self._session = session
        self.gateway = gateway

    @property
    def environments(self) -> dict[int, psutil.Process]:
        """The processes of this process's execution environments by their ids."""
        children = psutil.Process().children()
        return {child.pid: child for child in children if child.status() != psutil.STATUS_ZOMBIE}

    async def send(self, method: str, path: str, data: bytes = b"", headers: dict[str, str] = SIGNED) -> Reply:
        async with self._session.request(
            method, URL(self.gateway.url + path, encoded=True), data=BytesIO(data), headers=headers
        ) as response:
            body = wire.decode(await response.read())
            return Reply(response.status, {name.lower(): value for name, value in response.headers.items()}, body)

    async def invoke(self, body: dict[str, Any] = CONTEXT, name: str = "auth") -> Reply:
        return await self.send("POST", f"/authorizer/{name}/test", wire.encode(body))

    async def tell(self, username: str) -> Reply:
        """Invoke with a user name, which the handlers of these tests take for what they shall do."""
        return await self.invoke({"mqttContext": {"clientId": "device-1", "username": username}})


def handler(folder: Path, source: str, name: str = "authorizer.py") -> Function:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(textwrap.dedent(source), encoding="utf-8")
    return parse_handler(f"{path}:handler")


@asynccontextmanager
async def serving(
    *functions: Function, authorizers: tuple[AuthorizerSettings, ...] = (AuthorizerSettings("auth"),), **settings: Any
) -> AsyncIterator[Client]:
    settings.setdefault("provisioned", 0)
    made = GatewaySettings(functions, authorizers, **settings)
    async with await start(made) as gateway, aiohttp.ClientSession() as session:
        yield Client(session, gateway)
