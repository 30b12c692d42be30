"""What an attack is: a named change to a valid credential, with what must come back and who demands it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from authorizers.contract import Expectation
from generators.credentials.base import Credential, CredentialProfile


@dataclass(frozen=True, slots=True)
class Scene:
    """What an attack may use: the profile, a valid credential and another device's, a seeded generator."""

    profile: CredentialProfile
    credential: Credential
    other: Credential
    minted_at: int
    rng: Random


@dataclass(frozen=True, slots=True)
class Attack:
    """A named attack of a family.

    ``applies`` says whether a profile can be attacked so; ``make`` returns what is presented in place of the valid
    credential; ``source`` is the document that demands the expectation.
    """

    family: str
    name: str
    expectation: Expectation
    source: str
    applies: Callable[[CredentialProfile], bool]
    make: Callable[[Scene], Credential]
