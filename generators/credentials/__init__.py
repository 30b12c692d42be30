"""Credential profiles: how valid credentials of the user's devices are made, a module a kind."""

from gatecrash.generators.credentials.credential import Credential, CredentialProfile
from gatecrash.generators.credentials.from_settings import open_profile, profile_kinds

__all__ = ["Credential", "CredentialProfile", "open_profile", "profile_kinds"]
