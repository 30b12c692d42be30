"""Fixtures and settings for all tests."""

import os
import shutil

import pytest
from hypothesis import HealthCheck, settings

# Tests in this process use neither Locust's patched sockets nor its patched clock; processes that tests start
# are given an environment without this.
os.environ["LOCUST_SKIP_MONKEY_PATCH"] = "1"

settings.register_profile("gatecrash", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gatecrash")


# Tests with these marks need a program that not every machine has.
PROGRAMS = {"browser": "chromium", "node": "node", "xmllint": "xmllint"}
# Where this names programs, as CI does, a test that can't run for want of one fails rather than being skipped.
NEEDED = frozenset(filter(None, os.environ.get("GATECRASH_TESTS_NEED", "").split(",")))


def pytest_runtest_setup(item):
    for mark, program in PROGRAMS.items():
        if item.get_closest_marker(mark) and shutil.which(program) is None:
            reason = f"there is no {program} on the PATH"
            if program in NEEDED:
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory, monkeypatch):
    """Keep what tests write out of the person's home."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
