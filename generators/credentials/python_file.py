"""Devices whose credentials a Python file of the user's makes."""

from __future__ import annotations

import importlib.util
import inspect
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from gatecrash.authorizers.contract import AuthorizerRequest
from gatecrash.authorizers.errors import UsageError, WireError
from gatecrash.authorizers.wire import request_from_wire
from gatecrash.generators.credentials.credential import Credential, digest_of, read_secret_file

_EXAMPLE = "def credential(identity, salt, minted_at): return {'mqttContext': {...}}"


class PythonFileProfile:
    """A file with a function ``credential(identity, salt, minted_at)`` that returns a request in AWS's wire form.

    ``identity`` counts from 0, ``salt`` is a number that may vary what may vary, ``minted_at`` is in epoch
    seconds. The file may set ``IDENTITIES`` and ``LIFETIME`` (seconds), and define ``denied`` with the same
    arguments, which returns a request that must be denied. The functions must depend on nothing else.
    """

    kind = "python"
    carriers: tuple[str, ...] = ("own",)

    def __init__(self, path: Path) -> None:
        self._path = path
        self._source = read_secret_file(path, "credentials.file")
        module = _import(path)
        self._credential = _function(module, path, "credential")
        self._denied = _function(module, path, "denied") if hasattr(module, "denied") else None
        self.identities = _number(module, path, "IDENTITIES", 50) or 50
        self.lifetime = _number(module, path, "LIFETIME", None)

    @property
    def has_denied(self) -> bool:
        """Whether the file makes requests that must be denied."""
        return self._denied is not None

    def credential(self, identity: int, salt: int, minted_at: int) -> Credential:
        """Make a valid request."""
        return Credential(f"device {identity + 1}", request=self._call(self._credential, identity, salt, minted_at))

    def denied(self, identity: int, salt: int, minted_at: int) -> Credential:
        """Make a request that must be denied."""
        function = self._denied or self._credential
        return Credential(f"device {identity + 1}", request=self._call(function, identity, salt, minted_at))

    def _call(self, function: Callable[..., Any], identity: int, salt: int, minted_at: int) -> AuthorizerRequest:
        where = f"{function.__name__}({identity}, {salt}, {minted_at}) of {self._path}"
        try:
            body = function(identity, salt, minted_at)
        except (Exception, SystemExit) as error:
            raise UsageError(f"credentials.file: {where} raised {_describe(error, self._path)}") from error
        try:
            return request_from_wire(body)
        except WireError as error:
            raise UsageError(f"credentials.file: {where} returned no request in AWS's form: {error}") from None

    def request(self, credential: Credential, carrier: str) -> AuthorizerRequest:  # noqa: ARG002 - there is one
        """Return the request that the file made."""
        return credential.request or AuthorizerRequest()

    def fingerprint(self) -> str:
        """Return a digest of the file."""
        return digest_of(self.kind, self._source)


def _import(path: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location(f"credentials_{path.stem}", path)
    if specification is None or specification.loader is None:
        raise UsageError(f"credentials.file: {path} is no Python file")
    module = importlib.util.module_from_spec(specification)
    try:
        specification.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise UsageError(f"credentials.file: importing {path} raised {_describe(error, path)}") from error
    return module


def _describe(error: BaseException, path: Path) -> str:
    """Name an error and its line in the file; only messages that can't hold a secret are told."""
    message = f" ({error})" if isinstance(error, ImportError | NameError) else ""
    line = getattr(error, "lineno", None)
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename).resolve() == path.resolve():
            line = frame.lineno
    return f"{type(error).__name__}{message}{f' at line {line}' if line else ''}"


def _function(module: ModuleType, path: Path, name: str) -> Callable[..., Any]:
    function = getattr(module, name, None)
    if not callable(function):
        raise UsageError(f"credentials.file: {path} has no function {name}; write, for example, {_EXAMPLE!r}")
    try:
        inspect.signature(function).bind(0, 0, 0)
    except TypeError:
        raise UsageError(
            f"credentials.file: {name} of {path} must take three arguments; write, for example, {_EXAMPLE!r}"
        ) from None
    return cast(Callable[..., Any], function)


def _number(module: ModuleType, path: Path, name: str, default: int | None) -> int | None:
    value = getattr(module, name, default)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise UsageError(f"credentials.file: {name} of {path} must be a whole number of at least 1")
    return value
