"""What keeps a master or a worker from starting, in one sentence; settings that a worker hands on."""

import socket

import pytest

from gatecrash.app import app
from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import UsageError
from gatecrash.running.listening import Listening, address_of, place_to_listen
from gatecrash.settings.settings import read_settings, stored_settings


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def settings_of(**distributed):
    return read_settings(None, {f"distributed.{name}": value for name, value in distributed.items()})


def test_a_master_listens_on_this_machine_only_unless_told_otherwise(free_port):
    settings = settings_of(port=free_port, expect_workers=2, wait=5)
    assert place_to_listen(settings) == Listening("127.0.0.1", free_port, 2, 5.0)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "--expect-workers is missing"),
        (("--expect-workers", "3", "--users", "2"), "load.users is 2 for 3 workers"),
        (("--expect-workers", "1", "--bind", "*"), "can't be told that the embedded gateway is at 0.0.0.0"),
        (("--expect-workers", "1", "--bind", "203.0.113.7"), "can't listen for workers on 203.0.113.7:5557"),
        (("--expect-workers", "1", "--bind", "no-such-name.invalid"), "there is no address no-such-name.invalid"),
        (("--expect-workers", "0"), "distributed.expect_workers is 0"),
    ],
)
def test_a_master_that_can_not_work_is_one_sentence(capsys, arguments, sentence):
    assert app(["run", "--master", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("gatecrash: ")
    assert sentence in line


def test_a_port_that_is_in_use_is_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"can't listen for workers on 127.0.0.1:{port}: Address already in use"):
            place_to_listen(settings_of(port=port, expect_workers=1))


def test_a_wildcard_is_refused_only_where_workers_need_the_gateway(free_port):
    settings = read_settings(
        None,
        {
            "target.kind": "scripted",
            "distributed.bind": "*",
            "distributed.port": free_port,
            "distributed.expect_workers": 1,
        },
    )
    assert place_to_listen(settings).host == "0.0.0.0"


def test_a_name_of_this_machine_is_an_address():
    assert address_of("localhost") == "127.0.0.1"


def test_a_master_that_is_not_there_is_one_sentence(capsys, free_port):
    assert app(["worker", "--port", str(free_port), "--wait", "0.1"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"gatecrash: no master answers at 127.0.0.1:{free_port} within 0.1 s (Connection refused)")


def test_settings_that_a_worker_hands_on_are_the_same(tmp_path):
    settings = read_settings(None, {"credentials.kind": "password", "credentials.table": "devices.csv"})
    path = tmp_path / "settings.json"
    path.write_bytes(wire.encode(stored_settings(settings)))
    again = read_settings(path, {})
    assert again.credentials.table == str(tmp_path / "devices.csv")
    assert stored_settings(again) == stored_settings(settings)


@pytest.mark.parametrize("text", ["[]", "{", '"a"', "1"])
def test_settings_that_are_no_object_are_one_sentence(tmp_path, text):
    path = tmp_path / "settings.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="holds no settings as a JSON object"):
        read_settings(path, {})


@pytest.mark.parametrize("text", ["[]", "{", "{}", '{"corpus": {}}', '{"info": 1}'])
def test_a_file_that_describes_no_corpus_is_one_sentence(tmp_path, capsys, text):
    path = tmp_path / "plan.json"
    path.write_text(text)
    assert app(["corpus", "--like", str(path)]) == 2
    assert "describes no corpus" in capsys.readouterr().err
