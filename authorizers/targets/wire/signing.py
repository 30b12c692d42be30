"""AWS Signature Version 4 of requests that differ in their body alone.

"Create a signed AWS API request" in the IAM user guide gives the algorithm. Whatever is the same for all requests of
an operation is worked out once: a signature costs some ten microseconds, botocore's some two hundred.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple
from urllib.parse import quote

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
# AWS takes a signature for five minutes; clocks differ.
SIGNATURE_SECONDS: Final = 200.0
_SIGNATURES_KEPT: Final = 50_000


class SigningCredentials(NamedTuple):
    """An AWS access key; ``token`` comes with temporary ones."""

    access_key: str
    secret_key: str
    token: str | None = None


class RequestSigner:
    """Makes the head of ``POST path`` requests, signed.

    ``path`` is percent-encoded as it is sent; ``headers`` go with each request. ``credentials`` is asked before each
    signature, so that temporary ones are refreshed in time. Where bodies are ``repeated``, heads are kept and used
    again for 200 seconds, while the credentials are the same.
    """

    def __init__(
        self,
        host: str,
        path: str,
        *,
        region: str,
        service: str,
        credentials: Callable[[], SigningCredentials],
        user_agent: str,
        headers: Mapping[str, str],
        repeated: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._host = host
        self._path = path
        self._scope_end = f"{region}/{service}/aws4_request"
        self._region, self._service = region, service
        self._credentials = credentials
        self._user_agent = user_agent
        self._headers = dict(headers)
        self._heads_maximum = _SIGNATURES_KEPT if repeated else 0
        self._clock = clock
        self._heads: dict[bytes, bytes] = {}
        self._heads_made = 0.0
        self._second = -1
        self._current: SigningCredentials | None = None
        self._prepare(int(clock()), credentials())

    def head(self, body: bytes) -> bytes:
        """Return request line and headers, up to the empty line, for a body."""
        now = self._clock()
        credentials = self._credentials()
        if credentials is not self._current or not 0.0 <= now - self._heads_made < SIGNATURE_SECONDS:
            self._heads.clear()
            self._heads_made = now
            self._prepare(int(now), credentials)
        known = self._heads.get(body)
        if known is None:
            if int(now) != self._second:
                self._prepare(int(now), credentials)
            known = self._signed_head(body)
            if len(self._heads) < self._heads_maximum:
                self._heads[body] = known
        return known

    def _prepare(self, second: int, credentials: SigningCredentials) -> None:
        """Work out what is the same for all signatures of one second."""
        moment = time.gmtime(second)
        stamp, day = time.strftime("%Y%m%dT%H%M%SZ", moment), time.strftime("%Y%m%d", moment)
        given = {**self._headers, "X-Amz-Date": stamp}
        if credentials.token:
            given["X-Amz-Security-Token"] = credentials.token
        signed = sorted((name.lower(), value) for name, value in {**given, "Host": self._host}.items())
        names = ";".join(name for name, _ in signed)
        # Services other than S3 have the path encoded once more.
        canonical = [
            f"POST\n{quote(self._path, safe='/~')}\n",
            *(f"{name}:{value}" for name, value in signed),
            f"\n{names}\n",
        ]
        scope = f"{day}/{self._scope_end}"
        self._canonical = hashlib.sha256("\n".join(canonical).encode())
        self._to_sign = f"{_ALGORITHM}\n{stamp}\n{scope}\n"
        self._key = _signing_key(credentials.secret_key, day, self._region, self._service)
        self._head_start = (
            f"POST {self._path} HTTP/1.1\r\nHost: {self._host}\r\nAccept-Encoding: identity\r\n"
            f"User-Agent: {self._user_agent}\r\n"
            + "".join(f"{name}: {value}\r\n" for name, value in given.items())
            + f"Authorization: {_ALGORITHM} Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature="
        )
        self._second, self._current = second, credentials

    def _signed_head(self, body: bytes) -> bytes:
        canonical = self._canonical.copy()
        canonical.update(hashlib.sha256(body).hexdigest().encode())
        signature = hmac.digest(self._key, (self._to_sign + canonical.hexdigest()).encode(), "sha256").hex()
        return f"{self._head_start}{signature}\r\nContent-Length: {len(body)}\r\n\r\n".encode()


def _signing_key(secret_key: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
