"""Bodies of requests, read to their end so that the sender gets its answer, and kept up to a limit."""

from __future__ import annotations

from aiohttp import web


async def read_body(request: web.BaseRequest, maximum: int) -> bytes | None:
    """Return the body, None when it has more than ``maximum`` bytes; it is read to its end all the same."""
    body, size = bytearray(), 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size <= maximum:
            body += chunk
    return bytes(body) if size <= maximum else None
