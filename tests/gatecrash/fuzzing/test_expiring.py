"""Credentials that expire while they are watched, at authorizers that remember too long and at right ones."""

import pytest

from gatecrash.authorizers.service.front import HandlerSettings
from gatecrash.bench.bench import LaboratoryBench
from gatecrash.bench.expiry import EXPIRED_CAUSE, ExpiryWatch
from gatecrash.generators.cases import Recipe
from gatecrash.generators.credentials import open_profile
from gatecrash.generators.surroundings import Surroundings
from gatecrash.reports.oracles.findings import Classification
from tests.generators.test_attacks import CORRECT
from tests.quality.further import PLANTED
from tests.quality.yardstick import SETS

REMEMBERS = """

_checked, CACHE = claims_of, {}


def claims_of(token):
    if token not in CACHE:
        CACHE[token] = _checked(token)
    return CACHE[token]
"""


def watched(code, tmp_path, kind):
    """What a watch of one credential finds at a handler."""
    profiles = f'pathlib.Path("{SETS / "first" / "profiles"}")'
    path = tmp_path / "authorizer.py"
    path.write_text(code.replace('pathlib.Path(__file__).resolve().parent.parent / "profiles"', profiles))
    profile = open_profile(CORRECT[kind], "token")
    bench = LaboratoryBench(HandlerSettings(f"{path}:handler"))
    try:
        watch = ExpiryWatch(bench, profile)
        watch.begin([Recipe(0, profile.carriers[0], (), Surroundings(), 1)])
        return watch.end()
    finally:
        bench.close()


def test_an_authorizer_that_remembers_tokens_beyond_their_end_is_found(tmp_path):
    code = (SETS / "first" / "handlers" / "correct_jwt.py").read_text() + REMEMBERS
    (found,) = watched(code, tmp_path, "jwt")
    assert (found.rule.code, found.cause) == ("GC101", EXPIRED_CAUSE)
    assert found.confirmation.classification is Classification.TIME_BOUNDARY


@pytest.mark.parametrize("name", ["correct_jwt_cached", "correct_jwt_leeway"])
def test_one_that_remembers_until_then_or_allows_some_leeway_is_right(tmp_path, name):
    (planted,) = (one for one in PLANTED if one.name == name)
    assert watched(planted.text(), tmp_path, "jwt") == []


def test_credentials_that_never_expire_are_not_watched(tmp_path):
    code = (SETS / "first" / "handlers" / "correct_password.py").read_text()
    assert watched(code, tmp_path, "password") == []
