"""Fixtures and settings for all tests."""

import os
import shutil
from pathlib import Path

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

HERE = Path(__file__).resolve().parent
# What makes whole runs, measures, waits, installs or looks at pages in a browser: few tests, and most of the time.
LEFT_OUT_BY_QUICK = (
    *("benchmarks", "end_to_end", "packaging/test_wheel.py", "quality/test_yardstick.py", "gatecrash/test_streams.py"),
    *("documentation/test_the_guides.py", "documentation/test_the_pages.py", "documentation/test_the_tutorial.py"),
    *("reports/test_page_for_everybody.py", "reports/test_page_in_browser.py"),
    *("authorizers/targets/test_wire_to_aws.py", "gatecrash/fuzzing/test_confirming.py"),
)


def pytest_addoption(parser):
    parser.addoption("--quick", action="store_true", help=f"leave out {', '.join(LEFT_OUT_BY_QUICK)}")


def pytest_ignore_collect(collection_path, config):
    # None lets pytest decide.
    return True if config.getoption("quick") and collection_path in map(HERE.joinpath, LEFT_OUT_BY_QUICK) else None


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
