"""Which profiles a family of attacks is for."""

from __future__ import annotations

from gatecrash.generators.credentials.api_key import ApiKeyProfile
from gatecrash.generators.credentials.credential import CredentialProfile
from gatecrash.generators.credentials.jwt import JwtProfile
from gatecrash.generators.credentials.password import PasswordProfile
from gatecrash.generators.credentials.python_file import PythonFileProfile
from gatecrash.generators.credentials.signed import SignedProfile


def is_jwt(profile: CredentialProfile) -> bool:
    """Say whether devices present a JSON Web Token."""
    return isinstance(profile, JwtProfile)


def is_password(profile: CredentialProfile) -> bool:
    """Say whether devices present a user name and a password."""
    return isinstance(profile, PasswordProfile)


def is_signed(profile: CredentialProfile) -> bool:
    """Say whether devices present a token whose signature AWS IoT verifies."""
    return isinstance(profile, SignedProfile)


def is_api_key(profile: CredentialProfile) -> bool:
    """Say whether devices present an API key."""
    return isinstance(profile, ApiKeyProfile)


def is_known(profile: CredentialProfile) -> bool:
    """Say whether it is known how a request of the profile is built up."""
    return not isinstance(profile, PythonFileProfile)


def has_identity_claim(profile: CredentialProfile) -> bool:
    """Say whether a claim of the devices' JSON Web Tokens names the device."""
    return isinstance(profile, JwtProfile) and profile.identity_claim is not None
