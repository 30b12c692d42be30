"""From the ``[credentials]`` settings to a profile. The settings name files and variables, never secrets."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from gatecrash.authorizers.errors import UsageError
from gatecrash.generators.credentials.api_key import ApiKeyProfile
from gatecrash.generators.credentials.credential import IDENTITIES_DEFAULT, CredentialProfile, read_secret_file
from gatecrash.generators.credentials.jwt import BEARER_HEADER, MQTT_PASSWORD, JwtProfile
from gatecrash.generators.credentials.minted import Devices
from gatecrash.generators.credentials.password import PasswordProfile
from gatecrash.generators.credentials.python_file import PythonFileProfile
from gatecrash.generators.credentials.signed import SignedProfile
from gatecrash.generators.credentials.token_carriers import TOKEN

LIFETIME_DEFAULT: Final = 3600
# The kinds that make as many devices as ``identities`` says; the others have them in a table or a file.
MINTED: Final = frozenset({"jwt", "signed"})


def open_profile(settings: Mapping[str, Any], token_key_name: str | None) -> CredentialProfile:
    """Open the profile that settings describe; keys that aren't set have the profile's defaults.

    Raises UsageError naming the key that is missing, unknown or wrong.
    """
    kind = settings.get("kind")
    if kind not in _OPENERS:
        raise UsageError(f"credentials.kind is {kind!r}; it may be {', '.join(profile_kinds())}")
    return _OPENERS[kind]({**settings, "token_key_name": token_key_name})


def profile_kinds() -> tuple[str, ...]:
    """Return the kinds of profile there are."""
    return tuple(_OPENERS)


def _require(settings: Mapping[str, Any], key: str) -> str:
    value = settings.get(key)
    if not value:
        raise UsageError(f"credentials.{key} is missing: a profile of kind {settings['kind']!r} needs it")
    return str(value)


def _key(settings: Mapping[str, Any]) -> bytes:
    if settings.get("private_key"):
        return read_secret_file(Path(settings["private_key"]), "credentials.private_key")
    if settings.get("secret_file"):
        return read_secret_file(Path(settings["secret_file"]), "credentials.secret_file").rstrip(b"\r\n")
    if variable := settings.get("secret_variable"):
        if not os.environ.get(variable):
            raise UsageError(f"credentials.secret_variable: the environment has no variable {variable}")
        return os.environ[variable].encode()
    raise UsageError(
        "credentials need a key: set credentials.private_key, credentials.secret_file or credentials.secret_variable"
    )


def _minted(settings: Mapping[str, Any], identity: str, carriers: tuple[str, ...]) -> dict[str, Any]:
    """Return what profiles that mint credentials share; identity and carriers are their defaults."""
    return {
        "key": _key(settings),
        "devices": Devices(
            count=settings.get("identities") or IDENTITIES_DEFAULT,
            identity=settings.get("identity") or identity,
            client_id=settings.get("client_id") or "{identity}",
        ),
        "lifetime": settings.get("lifetime") or LIFETIME_DEFAULT,
        "carriers": tuple(settings.get("carriers") or carriers),
        "token_key_name": settings["token_key_name"],
    }


def _jwt(settings: Mapping[str, Any]) -> CredentialProfile:
    return JwtProfile(
        algorithm=settings.get("algorithm") or "RS256",
        key_id=settings.get("key_id"),
        claims=settings.get("claims") or {"sub": "{identity}"},
        **_minted(settings, "device-{hex:8}", (BEARER_HEADER, MQTT_PASSWORD)),
    )


def _signed(settings: Mapping[str, Any]) -> CredentialProfile:
    token = settings.get("token") or "{identity}.{expiry}.{hex:16}"
    return SignedProfile(token=token, **_minted(settings, "dev{number:4}", (TOKEN,)))


def _api_key(settings: Mapping[str, Any]) -> CredentialProfile:
    return ApiKeyProfile(
        table=Path(_require(settings, "table")),
        header=settings.get("header") or "x-api-key",
        column=settings.get("column") or "key",
        query=settings.get("query") or {},
    )


_OPENERS: Final[dict[str, Callable[[Mapping[str, Any]], CredentialProfile]]] = {
    "jwt": _jwt,
    "password": lambda settings: PasswordProfile(Path(_require(settings, "table"))),
    "signed": _signed,
    "api_key": _api_key,
    "python": lambda settings: PythonFileProfile(Path(_require(settings, "file"))),
}
