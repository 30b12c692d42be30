"""What an attack is: a named change to a valid request, with what it demands of an authorizer and who demands it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from random import Random
from typing import Any, Final, TypeVar

from gatecrash.authorizers.contract import AuthorizerRequest, Demand
from gatecrash.generators.credentials.credential import Credential, CredentialProfile

# Views: settings of the authorizer in front of the handler that a request alone can't bring about.
DEVICE_VIEW: Final = "device"
UNSIGNED_VIEW: Final = "signing_disabled"


class Layer(IntEnum):
    """What a change is made to, from the inside out; an outer one is made later and never undoes an inner one.

    ``token``: header and claims, rightly signed again. ``signature``: how a token is signed. ``text``: the
    credential's text, user name and client id. ``request``: what carries it.
    """

    TOKEN = 1
    SIGNATURE = 2
    TEXT = 3
    REQUEST = 4


@dataclass(frozen=True, slots=True)
class Scene:
    """What an attack may use.

    ``credential`` is as earlier changes left it, ``valid`` as it was; ``other`` is another device's, valid too, and
    made when it is asked for. ``minted_at`` is in epoch seconds; all randomness comes from ``rng``.
    """

    profile: CredentialProfile
    carrier: str
    valid: Credential
    credential: Credential
    make_other: Callable[[], Credential]
    minted_at: int
    rng: Random

    @property
    def other(self) -> Credential:
        """The valid credential of another device, where there is another one."""
        return self.make_other()


CredentialChange = Callable[[Scene, Any], Credential | None]
RequestChange = Callable[[Scene, AuthorizerRequest, Any], AuthorizerRequest | None]
Applies = Callable[[CredentialProfile], bool]
C = TypeVar("C", bound=CredentialChange)
R = TypeVar("R", bound=RequestChange)


@dataclass(frozen=True, slots=True, eq=False)
class Attack:
    """A named change of a family.

    ``variants`` are the values of its one parameter. ``weakness`` says in a few words what is wrong with an
    authorizer that falls for it; findings with the same weakness are one. Two changes that touch the same thing are
    never combined, and one that touches nothing but itself (``alone``) with none at all. ``everyday`` attacks are
    part of the mix of ``gatecrash run``. ``open_rights``: the request may rightly get another identity's rights.
    A change returns None where it would change nothing.
    """

    family: str
    name: str
    description: str
    demand: Demand
    source: str
    layer: Layer
    applies: Applies
    variants: tuple[Any, ...]
    weakness: str
    touches: str
    change_credential: CredentialChange | None = None
    change_request: RequestChange | None = None
    alone: bool = False
    everyday: bool = False
    open_rights: bool = False
    view: str = ""

    @property
    def key(self) -> str:
        """The name by which recipes call it."""
        return f"{self.family}/{self.name}"


class Family:
    """A group of attacks of the catalogue; its decorators turn functions into attacks.

    ``members`` are those of Attack that its attacks have where they don't say otherwise.
    """

    def __init__(self, name: str, applies: Applies, **members: Any) -> None:
        self.name = name
        self.attacks: list[Attack] = []
        self._members = {"applies": applies, "touches": name, "layer": Layer.TEXT, **members}

    def credential(self, demand: Demand, source: str, *variants: Any, **members: Any) -> Callable[[C], C]:
        """Register a change of what is presented."""

        def register(change: C) -> C:
            self._add(change, demand, source, variants, {**members, "change_credential": change})
            return change

        return register

    def request(self, demand: Demand, source: str, *variants: Any, **members: Any) -> Callable[[R], R]:
        """Register a change of the request that carries the credential."""

        def register(change: R) -> R:
            self._add(change, demand, source, variants, {**members, "layer": Layer.REQUEST, "change_request": change})
            return change

        return register

    def _add(
        self,
        change: CredentialChange | RequestChange,
        demand: Demand,
        source: str,
        variants: tuple[Any, ...],
        members: dict[str, Any],
    ) -> None:
        name = change.__name__
        description = " ".join((change.__doc__ or "").split("\n\n")[0].split())
        members = {"weakness": name.replace("_", " "), **self._members, **members}
        self.attacks.append(
            Attack(self.name, name, description, demand, source, variants=variants or (None,), **members)
        )
