"""Requests that a user's own credential file says must be denied."""

from __future__ import annotations

from typing import Final

from authorizers.contract import Expectation
from generators.attacks.base import Attack, Scene
from generators.credentials.base import Credential, CredentialProfile
from generators.credentials.python_file import PythonFileProfile


def _has_denied(profile: CredentialProfile) -> bool:
    return isinstance(profile, PythonFileProfile) and profile.has_denied


def denied(scene: Scene) -> Credential:
    """Present what the file's function ``denied`` makes."""
    profile = scene.profile
    assert isinstance(profile, PythonFileProfile)  # noqa: S101 - applies() has said so
    number = int(scene.rng.getrandbits(32))
    return profile.denied(number % profile.identities, number, scene.minted_at)


ATTACKS: Final = (Attack("own", "denied", Expectation.DENY, "the user's credential file", _has_denied, denied),)
