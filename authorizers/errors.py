"""The error tree.

::

    GatecrashError
    ├── UsageError             a person's mistake: bad flag, key, file (exit code 2)
    │   └── HandlerError       the Lambda handler can't be found or imported
    ├── WireError              bytes that are not what they should be (a request or a corpus)
    └── ApiError               an error answer of the IoT control plane API
        ├── InvalidRequestError, InvalidResponseError, ResourceNotFoundError, ThrottlingError,
        ├── UnauthorizedError, ServiceUnavailableError, InternalFailureError,
        └── ResourceAlreadyExistsError, LimitExceededError, DeleteConflictError, MissingCredentialsError
"""

from __future__ import annotations

from typing import ClassVar, Final

# What a process ends with because of a UsageError, and where what it measured is invalid.
USAGE_EXIT_CODE: Final = 2
INVALID_EXIT_CODE: Final = 4


class GatecrashError(Exception):
    """The root of all errors that gatecrash raises on purpose."""


class UsageError(GatecrashError):
    """A mistake of the person at the keyboard, said in one sentence that names the place and the mend."""


class HandlerError(UsageError):
    """The Lambda handler that was named can't be found, imported or called."""


class WireError(GatecrashError):
    """Bytes that should hold a request, an answer or a case, and don't."""


class ApiError(GatecrashError):
    """An error answer of the AWS IoT control plane.

    ``code`` is the exception name of botocore's service model, ``status`` the HTTP status that the model
    gives it; ``message`` may be None, as AWS itself answers in one case. Throttling is 400 here, like three
    other errors: classify by code, never by status.
    """

    code: ClassVar[str]
    status: ClassVar[int]

    def __init__(self, message: str | None) -> None:
        super().__init__(message)
        self.message = message


class InvalidRequestError(ApiError):
    """The request breaks a member constraint or a rule of the operation."""

    code, status = "InvalidRequestException", 400


class InvalidResponseError(ApiError):
    """The Lambda function failed, or its answer breaks the authorizer's contract."""

    code, status = "InvalidResponseException", 400


class ThrottlingError(ApiError):
    """The API rate of the account, or the concurrency of the function, is used up."""

    code, status = "ThrottlingException", 400


class UnauthorizedError(ApiError):
    """The caller may not do this."""

    code, status = "UnauthorizedException", 401


class ResourceNotFoundError(ApiError):
    """No authorizer has this name."""

    code, status = "ResourceNotFoundException", 404


class ResourceAlreadyExistsError(ApiError):
    """An authorizer of this name exists."""

    code, status = "ResourceAlreadyExistsException", 409


class DeleteConflictError(ApiError):
    """The default authorizer can't be deleted."""

    code, status = "DeleteConflictException", 409


class LimitExceededError(ApiError):
    """The account has as many authorizers as it may have."""

    code, status = "LimitExceededException", 410


class InternalFailureError(ApiError):
    """The service failed."""

    code, status = "InternalFailureException", 500


class ServiceUnavailableError(ApiError):
    """The service is not available for now."""

    code, status = "ServiceUnavailableException", 503


class MissingCredentialsError(ApiError):
    """The request carries no Signature Version 4; AWS answers so before it looks at the operation."""

    code, status = "MissingAuthenticationTokenException", 403


API_ERRORS: dict[str, type[ApiError]] = {error.code: error for error in ApiError.__subclasses__()}
