"""A Python handler as Lambda's runtime client treats it: imported, called with a context, its answer written as JSON.

Kept free of what stands before a handler, so that a process which runs nothing but handlers imports little.
"""

from __future__ import annotations

import importlib.util
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gatecrash.authorizers import wire
from gatecrash.authorizers.answers import handler_failed
from gatecrash.authorizers.errors import HandlerError, InvalidResponseError, WireError
from gatecrash.authorizers.limits import LAMBDA_SECONDS_MAXIMUM

Handler = Callable[[Any, Any], Any]


class LambdaContext:
    """What a handler may ask of its invocation: the members of Lambda's Python context object that matter.

    ``seconds`` is the time that the invocation may take.
    """

    function_name = "gatecrash"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:gatecrash"
    memory_limit_in_mb = "128"
    log_group_name = "/aws/lambda/gatecrash"
    log_stream_name = "gatecrash"

    def __init__(self, seconds: float = LAMBDA_SECONDS_MAXIMUM) -> None:
        self.aws_request_id = str(uuid.uuid4())
        self._ends = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that are left of the invocation's time."""
        return max(0, int((self._ends - time.monotonic()) * 1000))


def load_handler(location: str) -> Handler:
    """Import a handler from ``path/to/file.py:function`` (``handler`` when no function is named).

    Raises HandlerError when the file or function isn't there or the import fails.
    """
    name, _, function_name = location.partition(":")
    path, function_name = Path(name), function_name or "handler"
    if not path.is_file():
        raise HandlerError(f"--handler: there is no file {path}; name it as path/to/file.py:function")
    specification = importlib.util.spec_from_file_location(f"handler_{path.stem}", path)
    if specification is None or specification.loader is None:
        raise HandlerError(f"--handler: {path} is no Python file; other languages run behind --target local")
    module = importlib.util.module_from_spec(specification)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        specification.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise HandlerError(f"--handler: importing {path} raised {type(error).__name__}: {error}") from error
    finally:
        sys.path.pop(0)
    function = getattr(module, function_name, None)
    if not callable(function):
        raise HandlerError(f"--handler: {path} has no function {function_name}; name it as {path}:function")
    handler: Handler = function
    return handler


def payload_of(answer: Any) -> bytes:
    """Write what a handler returned as Lambda does; raises InvalidResponseError for what JSON has no form for."""
    try:
        return wire.encode(answer)
    except WireError as error:
        raise handler_failed(str(error), "Runtime.MarshalError") from error


def error_of_exception(error: BaseException) -> InvalidResponseError:
    """Return the service's error for an exception that a handler raised."""
    return handler_failed(_message_of(error), type(error).__name__)


def _message_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an exception of the handler's, which may do anything when asked for its text
        return "the exception has no message"
