"""How to start one execution environment of a Lambda function, for any language that has a runtime client."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gatecrash.authorizers.errors import HandlerError
from gatecrash.authorizers.service.lambda_platform import lambda_variables

_CLIENTS: Final = Path(__file__).parent / "runtime_clients"
_PYTHON_SUFFIXES: Final = frozenset({".py"})
_NODE_SUFFIXES: Final = frozenset({".mjs", ".js", ".cjs"})
_HANDLER_DEFAULT: Final = "handler"
_FORM: Final = "name it as path/to/file.py:function"


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function: the command of its runtime client, run in ``folder`` (Lambda's task root).

    ``handler`` is what the runtime client finds in ``_HANDLER``; ``environment`` are variables besides the person's
    own.
    """

    name: str
    command: tuple[str, ...]
    folder: Path
    handler: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


def parse_handler(text: str, *, name: str | None = None) -> Function:
    """Read ``path/to/file.py:function``; the file's suffix says which runtime client runs it.

    ``.py`` runs under AWS's awslambdaric, ``.mjs``, ``.js`` and ``.cjs`` under Node.js. Without ``:function`` it is
    ``handler``; the Lambda function's name is the file's by default. Raises HandlerError when there is no such
    file, when no runtime client fits it, or Node.js isn't installed.
    """
    location, _, function = text.rpartition(":")
    path, function = (Path(location), function or _HANDLER_DEFAULT) if location else (Path(text), _HANDLER_DEFAULT)
    if not path.is_file():
        raise HandlerError(f"--handler: there is no file {path}; {_FORM}")
    if path.suffix in _PYTHON_SUFFIXES:
        return python_function(path, function, name=name)
    if path.suffix in _NODE_SUFFIXES:
        return node_function(path, function, name=name)
    raise HandlerError(
        f"--handler: {path} ends neither in .py nor in .mjs, .js or .cjs; "
        "other languages run by the command of their runtime client"
    )


def python_function(path: Path, handler_name: str, *, name: str | None = None) -> Function:
    """Return a function that runs a Python file under AWS's own runtime client, awslambdaric.

    Raises HandlerError when the file's name can't be a module's.
    """
    path = path.resolve()
    if "." in path.stem:
        raise HandlerError(f"--handler: {path.name} can't be imported, a module's name holds no dot; rename the file")
    handler = f"{path.stem}.{handler_name}"
    return Function(
        name or function_name(path.stem),
        (sys.executable, "-P", str(_CLIENTS / "python.py"), handler),
        path.parent,
        handler,
        {"AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}"},
    )


def node_function(path: Path, handler_name: str, *, name: str | None = None) -> Function:
    """Return a function that runs a JavaScript file under the runtime client for Node.js that is bundled here.

    Raises HandlerError when Node.js isn't installed.
    """
    node = shutil.which("node")
    if node is None:
        raise HandlerError(f"--handler: {path} needs Node.js, and there is no node on the PATH; install it")
    path = path.resolve()
    return Function(
        name or function_name(path.stem),
        (node, str(_CLIENTS / "node.mjs"), str(path), handler_name),
        path.parent,
        f"{path.stem}.{handler_name}",
    )


def command_function(name: str, command: Sequence[str], folder: Path) -> Function:
    """Return a function that any other runtime client runs: a custom runtime's bootstrap, a compiled handler.

    The command runs in ``folder`` and finds the Runtime API's address in ``AWS_LAMBDA_RUNTIME_API``. Raises
    HandlerError when there is no such program or folder.
    """
    if not command:
        raise HandlerError("the command of a runtime client is empty; give the program and its arguments")
    if not folder.is_dir():
        raise HandlerError(f"there is no folder {folder} to run {command[0]} in")
    folder = folder.resolve()
    program = shutil.which(command[0]) or shutil.which(str(folder / command[0]))
    if program is None:
        raise HandlerError(f"there is no program {command[0]}, neither on the PATH nor in {folder}")
    return Function(function_name(name), (program, *command[1:]), folder)


def function_name(text: str) -> str:
    """Return a text as Lambda allows it for a function's name: ``[a-zA-Z0-9-_]``, at most 64 characters."""
    return re.sub(r"[^a-zA-Z0-9_-]", "-", text)[:64] or "function"


def environment_variables(function: Function, *, runtime_api: str, environment_id: str, region: str) -> dict[str, str]:
    """Return the variables of one execution environment: the person's own, and Lambda's.

    ``runtime_api`` is the address at which the runtime client asks for events.
    """
    return {
        **lambda_variables(function.name, environment_id, region, function.folder),
        **function.environment,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "_HANDLER": function.handler,
    }
