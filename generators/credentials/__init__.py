"""Credential profiles: how valid credentials of the user's devices are made, a module a kind."""

from gatecrash.generators.credentials.base import Credential, CredentialProfile
from gatecrash.generators.credentials.opening import open_profile, profile_kinds

__all__ = ["Credential", "CredentialProfile", "open_profile", "profile_kinds"]
