"""A person's own project: its folders and modules may have the names of ours, or of Python's."""

import pytest

from gatecrash.authorizers.contract import AuthorizerRequest, MqttContext
from gatecrash.authorizers.laboratory.laboratory import Laboratory
from gatecrash.authorizers.service.front import HandlerSettings
from gatecrash.authorizers.targets.local import LocalGateway
from gatecrash.authorizers.targets.opening import open_target

REQUEST = AuthorizerRequest(mqtt_context=MqttContext(client_id="device"))
HANDLER = """
import project

def handler(event, context):
    return {"isAuthenticated": True, "principalId": project.NAME, "policyDocuments": []}
"""


@pytest.fixture
def location(tmp_path, monkeypatch):
    """A handler in the current folder, beside folders and modules that end whoever imports them."""
    for name in ("authorizers/__init__.py", "reports/__init__.py", "generators.py", "types.py", "enum.py", "orjson.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("raise SystemExit(9)\n")
    (tmp_path / "project.py").write_text("NAME = 'mine'\n")
    (tmp_path / "app.py").write_text(HANDLER)
    monkeypatch.chdir(tmp_path)
    return "app.py:handler"


def test_the_gateways_process_and_its_environments_start_beside_them(location):
    gateway = LocalGateway({"handler": location, "authorizer": "mine", "provisioned": 1})
    target = open_target(
        gateway.target_of({"kind": "iot_wire", "authorizer_name": "mine", "gateway": {}}), connections=1
    )
    answer = target.invoke(REQUEST)
    target.close()
    gateway.close()
    assert answer.decision is not None, answer
    assert answer.decision.principal_id == "mine"


@pytest.mark.parametrize("before", ["", "FILE = open(__file__)\n"], ids=["forked", "spawned"])
def test_the_laboratory_starts_beside_them(location, tmp_path, before):
    (tmp_path / "app.py").write_text(before + HANDLER)
    with Laboratory(HandlerSettings(location)) as laboratory, laboratory.environment() as environment:
        assert laboratory.forks is (not before)
        answer = environment.invoke(REQUEST)
    assert answer.decision is not None, answer
    assert answer.decision.principal_id == "mine"
