"""What Lambda's platform gives to every runtime, and says of one that fails, whoever plays Lambda here."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Final

from gatecrash.authorizers.limits import LAMBDA_PAYLOAD_BYTES_MAXIMUM

# Lambda's own limit for the init phase.
INIT_SECONDS_MAXIMUM: Final = 10.0
UNNAMED_ERROR: Final = "Error"
RESPONSE_TOO_LARGE: Final = (
    f"Response payload size exceeded maximum allowed payload size ({LAMBDA_PAYLOAD_BYTES_MAXIMUM} bytes)."
)
# What Lambda's own platform sets for its runtime clients: whatever the person's environment has of it is of
# another function and would change how the runtime client works.
_PLATFORM_VARIABLES: Final = frozenset(
    {
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "_LAMBDA_TELEMETRY_LOG_FD",
        "_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET",
        "_X_AMZN_TRACE_ID",
    }
)


def lambda_variables(name: str, environment_id: str, region: str, folder: Path) -> dict[str, str]:
    """Return the variables that a function finds: the person's own, and those that Lambda sets for every runtime.

    The Lambda developer guide's page "Working with Lambda environment variables" names them.
    """
    return {
        **{variable: value for variable, value in os.environ.items() if variable not in _PLATFORM_VARIABLES},
        "TZ": ":UTC",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": environment_id,
        "LAMBDA_TASK_ROOT": str(folder),
    }


def exit_reason(return_code: int) -> str:
    """Return Lambda's words for a runtime that ended with an exit code, minus a signal's number."""
    if return_code == 0:
        return "Runtime exited without providing a reason"
    if return_code > 0:
        return f"Runtime exited with error: exit status {return_code}"
    name = signal.strsignal(-return_code) or f"signal {-return_code}"
    return f"Runtime exited with error: signal: {name.lower()}"
