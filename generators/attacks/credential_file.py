"""Requests that a user's own credential file says must be denied."""

from __future__ import annotations

from typing import Any, Final

from gatecrash.authorizers.contract import Demand
from gatecrash.generators.attacks.attack import Family, Scene
from gatecrash.generators.credentials.credential import Credential, CredentialProfile
from gatecrash.generators.credentials.python_file import PythonFileProfile


def _has_denied(profile: CredentialProfile) -> bool:
    return isinstance(profile, PythonFileProfile) and profile.has_denied


FAMILY: Final = Family("own", _has_denied)


@FAMILY.credential(
    Demand.DENY,
    "the user's credential file",
    *range(16),
    weakness="requests that the credential file denies are allowed",
    everyday=True,
    alone=True,
)
def denied(scene: Scene, _: Any) -> Credential:
    """Present what the file's function ``denied`` makes."""
    profile = scene.profile
    assert isinstance(profile, PythonFileProfile)  # noqa: S101 - applies() has said so
    number = int(scene.rng.getrandbits(32))
    return profile.denied(number % profile.identities, number, scene.minted_at)
