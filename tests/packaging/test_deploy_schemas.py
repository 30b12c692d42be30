"""What deploy/ holds is what Docker, Compose and Kubernetes take, by their linter and their published schemas."""

import json
import subprocess
import sysconfig
from importlib.resources import files
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest

from tests.packaging.test_deploy import COMPOSE, DOCKERFILE, OBJECTS

HADOLINT = Path(sysconfig.get_path("scripts")) / "hadolint"
# The oldest and the newest that the schemas are packed for.
VERSIONS = ("1.30", kubernetes_validate.latest_version())
COMPOSE_SCHEMA = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"


def linted(dockerfile):
    """Return what hadolint has against a Dockerfile."""
    command = [HADOLINT, "--no-color", "--format", "json", "-"]
    done = subprocess.run(command, input=dockerfile, capture_output=True, text=True, timeout=60, check=False)
    return [f"line {one['line']}: {one['code']} {one['message']}" for one in json.loads(done.stdout)]


@pytest.fixture(scope="module")
def compose_validator():
    schema = json.loads(COMPOSE_SCHEMA.read_text())
    return jsonschema.validators.validator_for(schema)(schema)


def test_the_linter_has_nothing_against_the_dockerfile():
    assert linted(DOCKERFILE) == []


def test_the_linter_would_see_a_mistake():
    assert any("DL3006" in one for one in linted(DOCKERFILE.replace("python:3.11-slim", "python")))


def test_compose_meets_the_compose_specification(compose_validator):
    assert [error.message for error in compose_validator.iter_errors(COMPOSE)] == []


def test_a_key_that_compose_does_not_know_would_be_seen(compose_validator):
    master = {**COMPOSE["services"]["master"], "read_olny": True}
    assert not compose_validator.is_valid({**COMPOSE, "services": {"master": master}})


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("made", OBJECTS, ids=lambda made: f"{made['kind']} {made['metadata']['name']}")
def test_every_object_meets_the_schemas_of_kubernetes(made, version):
    kubernetes_validate.validate(made, version, strict=True)


def test_a_key_that_kubernetes_does_not_know_would_be_seen():
    (job, *_) = (made for made in OBJECTS if made["kind"] == "Job")
    with pytest.raises(kubernetes_validate.ValidationError, match="backoffLimits"):
        kubernetes_validate.validate({**job, "spec": {**job["spec"], "backoffLimits": 0}}, VERSIONS[1], strict=True)
