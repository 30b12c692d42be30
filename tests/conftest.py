"""Fixtures and settings for all tests."""

import os

import pytest
from hypothesis import HealthCheck, settings

# Tests in this process use neither Locust's patched sockets nor its patched clock; processes that tests start
# are given an environment without this.
os.environ["LOCUST_SKIP_MONKEY_PATCH"] = "1"

settings.register_profile("gatecrash", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gatecrash")


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory, monkeypatch):
    """Keep what tests write out of the person's home."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
