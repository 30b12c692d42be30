"""What deploy/ says is what the commands take and the repository holds. The files are read, no daemon is needed."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from gatecrash.app import commands
from gatecrash.settings.settings import read_settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
OBJECTS = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))
# Values that compose or Kubernetes put in, as any would be.
VARIABLES = {"WORKERS": "4", "GATECRASH_FOLDER": "./example", "POD_ADDRESS": "10.0.0.7"}


def filled(text):
    """Put in what compose and Kubernetes would."""
    text = re.sub(r"\$\{(\w+):-[^}]*\}", lambda found: VARIABLES[found[1]], str(text))
    return re.sub(r"\$\((\w+)\)", lambda found: VARIABLES[found[1]], text)


def objects(kind):
    return [one for one in OBJECTS if one["kind"] == kind]


def pods():
    return {one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in objects("Job")}


def compose_command(service):
    return [filled(word) for word in COMPOSE["services"][service]["command"]]


def accepted(arguments):
    """Parse a command line as the real command does, without carrying it out."""
    name, *options = arguments
    command = commands.get_command(None, name)
    return command.make_context(name, list(options)).params


@pytest.mark.parametrize("service", ["master", "worker"])
def test_compose_starts_commands_that_there_are(service):
    assert accepted(compose_command(service))


@pytest.mark.parametrize("name", ["gatecrash-master", "gatecrash-worker"])
def test_kubernetes_starts_commands_that_there_are(name):
    (container,) = pods()[name]["containers"]
    assert accepted([filled(word) for word in container["args"]])


def test_a_mistyped_option_would_be_seen():
    with pytest.raises(Exception, match="No such option"):
        accepted([*compose_command("worker"), "--mater-host", "x"])


def test_master_and_workers_of_compose_fit():
    master = accepted(compose_command("master"))
    worker = accepted(compose_command("worker"))
    services = COMPOSE["services"]
    assert master["master"]
    assert master["expect_workers"] == int(filled(services["worker"]["deploy"]["replicas"]))
    assert master["bind"] == services["master"]["hostname"] == worker["master_host"] == "master"
    assert set(services["worker"]["depends_on"]) == {"master"}


def test_master_and_workers_of_kubernetes_fit():
    (service,), (policy,) = objects("Service"), objects("NetworkPolicy")
    arguments = {name: [filled(word) for word in pod["containers"][0]["args"]] for name, pod in pods().items()}
    master = accepted(arguments["gatecrash-master"])
    worker = accepted(arguments["gatecrash-worker"])
    jobs = {one["metadata"]["name"]: one["spec"] for one in objects("Job")}
    workers = jobs["gatecrash-worker"]
    assert master["expect_workers"] == workers["completions"] == workers["parallelism"]
    assert worker["master_host"] == service["metadata"]["name"]
    labels = jobs["gatecrash-master"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == labels == policy["spec"]["podSelector"]["matchLabels"]
    (rule,) = policy["spec"]["ingress"]
    assert rule["from"] == [{"podSelector": {"matchLabels": workers["template"]["metadata"]["labels"]}}]
    (port,) = service["spec"]["ports"]
    assert port["port"] == rule["ports"][0]["port"] == read_settings(None, {}).distributed.port


def test_all_pods_and_services_are_bound_hand_and_foot():
    for pod in pods().values():
        security = pod["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["runAsUser"] == security["runAsGroup"] == 10001
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert set(container["resources"]) == {"requests", "limits"}
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}
    for service in COMPOSE["services"].values():
        assert service["user"] == "10001:10001"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "ports" not in service


def test_credentials_come_from_a_secret_and_stand_in_no_file(tmp_path):
    assert not objects("Secret")
    for pod in pods().values():
        assert [one["secret"]["secretName"] for one in pod["volumes"] if "secret" in one] == ["gatecrash-credentials"]
    (settings,) = objects("ConfigMap")
    path = tmp_path / "gatecrash.toml"
    path.write_text(settings["data"]["gatecrash.toml"])
    read = read_settings(path, {})
    (mount,) = [
        one for one in pods()["gatecrash-worker"]["containers"][0]["volumeMounts"] if one["name"] == "credentials"
    ]
    assert read.credentials.private_key.startswith(f"{mount['mountPath']}/")
    assert read.load.users >= 4


def test_the_example_of_compose_holds_settings_that_can_be_read():
    folder = DEPLOY / COMPOSE["services"]["master"]["volumes"][0].partition(":-")[2].partition("}")[0]
    settings = read_settings(folder / "gatecrash.toml", {})
    assert settings.uses_sample or settings.authorizer.handler
    assert settings.load.users >= int(VARIABLES["WORKERS"])


def instructions():
    joined = re.sub(r"\\\n", " ", DOCKERFILE)
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [line.partition(" ")[::2] for line in lines]


def test_the_image_is_made_from_locked_packages_and_runs_as_nobody_special():
    made = instructions()
    installs = [text for word, text in made if word == "RUN" and "pip install" in text]
    assert len(installs) == 2
    assert all("--require-hashes --requirement requirements.lock" in text or "--no-deps" in text for text in installs)
    users = [text for word, text in made if word == "USER"]
    assert users == ["10001:10001"]
    assert made.index(("USER", users[0])) < [word for word, _ in made].index("ENTRYPOINT")
    assert "://" not in DOCKERFILE
    bases = {text.split()[0] for word, text in made if word == "FROM"}
    assert bases == {"python:3.11-slim"}
    assert [shlex.split(text) for word, text in made if word == "ENTRYPOINT"] == [["[gatecrash]"]]


def test_what_the_image_takes_in_is_there_and_holds_no_credentials():
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    taken = [line[1:] for line in lines if line.startswith("!")]
    assert "*" in lines
    assert all((ROOT / name).exists() for name in taken)
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages <= set(taken)
    assert not {"tests", "runs", "deploy"} & set(taken)


def test_compose_builds_the_dockerfile_that_there_is():
    for service in COMPOSE["services"].values():
        context = (DEPLOY / service["build"]["context"]).resolve()
        assert context == ROOT
        assert (context / service["build"]["dockerfile"]).samefile(DEPLOY / "Dockerfile")
