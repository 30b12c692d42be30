"""A person's mistakes: one clear sentence, exit code 2, no traceback, nothing fired."""

import json
import shutil
import socket
import subprocess
import time

import pytest

from gatecrash.generators.credentials.tokens import JsonWebToken
from tests.authorizers.targets.raw_server import RawServer
from tests.end_to_end.command import HANDLERS, PASSWORDS, gatecrash, gatecrash_in_process, start, wait_until

CORRECT = ("--handler", str(HANDLERS / "correct.py"))


def refused(folder, *arguments, by=gatecrash_in_process):
    """Run a command that must be refused, and return its only line of complaint."""
    done = by(folder, *arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "runs").exists() or not list((folder / "runs").iterdir())
    return done.stderr.strip().splitlines()[-1]


def test_a_wrong_key_names_its_place_and_the_nearest_right_one(tmp_path):
    (tmp_path / "gatecrash.toml").write_text("[load]\nrates = 5\n")
    for by in (gatecrash, gatecrash_in_process):
        line = refused(tmp_path, "run", by=by)
        assert line == "gatecrash: gatecrash.toml: there is no setting load.rates; did you mean load.rate?"


def test_a_wrong_section_names_the_sections_there_are(tmp_path):
    (tmp_path / "gatecrash.toml").write_text("[zzz]\na = 5\n")
    assert "there is no setting zzz; there are target, authorizer, credentials" in refused(tmp_path, "run")


def test_a_wrong_value_names_the_key_and_what_is_allowed(tmp_path):
    line = refused(tmp_path, "run", "--set", "load.rate=-5")
    assert line == "gatecrash: load.rate is -5: input should be greater than 0"


def test_a_file_that_is_no_toml_names_the_line(tmp_path):
    (tmp_path / "gatecrash.toml").write_text("[load\n")
    line = refused(tmp_path, "run")
    assert "gatecrash.toml is not TOML" in line
    assert "line 1" in line


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--config", "nowhere.toml"), "--config: there is no file nowhere.toml"),
        (("--handler", "nowhere.py:handler", *PASSWORDS), "nowhere.py"),
        (
            (*CORRECT, "--credentials", "password", "--table", "nowhere.csv"),
            "credentials.table: can't read nowhere.csv",
        ),
        (CORRECT, "credentials.kind is missing"),
        (("--keep", "0"), "output.keep is 0: input should be greater than or equal to 1"),
        (("--set", "rate=5"), "write it as section.key=value"),
        (("--target", "iot", "--region", "eu-wets-1"), "AWS IoT has no such region; did you mean eu-west-1?"),
        ((*CORRECT, "--target", "iot"), "--handler (authorizer.handler) names a handler on this machine"),
        (("--endpoint-url", "http://127.0.0.1:1"), "fire at an endpoint with --target iot"),
        (("--target", "iot", "--region", "eu-west-1"), "there are no AWS credentials"),
        (("--target", "iot", "--endpoint-url", "http://127.0.0.1:9"), "can't reach http://127.0.0.1:9"),
        (("--target", "iot", "--profile", "nobody"), "can't make a client for AWS IoT"),
    ],
)
def test_a_mistake_gets_one_sentence(tmp_path, arguments, sentence):
    assert sentence in refused(tmp_path, "run", *arguments)


def test_a_handler_and_a_deployed_target_in_the_same_file_are_refused_by_their_keys(tmp_path):
    text = '[target]\nkind = "iot"\nregion = "eu-west-1"\n[authorizer]\nhandler = "mine.py:handler"\n'
    (tmp_path / "gatecrash.toml").write_text(text)
    told = refused(tmp_path, "run", *PASSWORDS)
    assert "(authorizer.handler) names a handler on this machine, but --target (target.kind) is iot" in told
    assert told.endswith("leave one of the two out")


def test_a_handler_that_can_not_be_imported_is_told_before_anything_is_fired(tmp_path):
    (tmp_path / "broken.py").write_text("import no_such_module_anywhere\n")
    line = refused(tmp_path, "run", "--handler", "broken.py:handler", *PASSWORDS)
    assert "no_such_module_anywhere" in line


def test_a_function_that_is_not_there_is_told_before_anything_is_fired(tmp_path):
    (tmp_path / "empty.py").write_text("")
    assert "handler" in refused(tmp_path, "run", "--handler", "empty.py:handler", *PASSWORDS)


def test_a_port_in_use_is_named_with_the_flag(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refused(tmp_path, "serve", *CORRECT, "--port", str(port))
    assert line.startswith(f"gatecrash: 127.0.0.1:{port} is in use")
    assert "--port" in line


def test_a_folder_that_is_no_run_folder(tmp_path):
    assert "is not a run folder" in refused(tmp_path, "report", str(tmp_path))


def test_tokens_that_would_expire_during_the_run(tmp_path):
    line = refused(tmp_path, "run", "--duration", "4000")
    assert "credentials live 3600 s, the run takes 4003 s" in line


def test_a_place_for_runs_that_is_a_file(tmp_path):
    (tmp_path / "taken").write_text("")
    done = gatecrash_in_process(tmp_path, "run", "--runs", "taken", *CORRECT, *PASSWORDS)
    assert done.returncode == 2
    assert "Not a directory; name another place with --runs" in done.stderr


def test_an_authorizer_that_is_not_there(tmp_path):
    server = start(tmp_path, "serve", *CORRECT, "--port", "0")
    try:
        url = wait_until(lambda: server.stdout.readline().rpartition(" at ")[2].strip())
        arguments = ("--target", "iot", "--endpoint-url", url, *PASSWORDS)
        assert "there is no authorizer nobody" in refused(tmp_path, "run", *arguments, "--authorizer", "nobody")
    finally:
        server.terminate()
        server.communicate(timeout=20)
    assert server.returncode == 0


def elliptic_key(folder):
    command = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", folder / "elliptic.pem"]
    subprocess.run(command, check=True)
    return ("--private-key", "elliptic.pem")


def expired_token(folder):
    token = JsonWebToken({"alg": "none"}, {"exp": int(time.time()) - 86400}).compact(lambda _: b"signature")
    (folder / "expired.jsonl").write_text(json.dumps({"username": "device-1", "password": token}))
    return ("--table", "expired.jsonl")


def file_with(text):
    def write(folder):
        (folder / "own.py").write_text(text)
        return ("--credential-file", "own.py")

    return write


@pytest.mark.parametrize(
    ("kind", "given", "sentence"),
    [
        ("jwt", lambda _: (), "credentials need a key: set credentials.private_key, credentials.secret_file or"),
        ("jwt", elliptic_key, "is an elliptic-curve key, which RS256 can't use: name an RSA key, or set"),
        ("signed", elliptic_key, "is an elliptic-curve key, but AWS IoT verifies RSA signatures alone"),
        ("jwt", lambda _: ("--private-key", HANDLERS / "correct.py"), "is no unencrypted PEM private key"),
        ("password", expired_token, "credentials.table: the token of device-1 expired at 20"),
        ("python", file_with("def credential(identity, salt)\n"), "importing own.py raised SyntaxError at line 1"),
        ("python", file_with("def credential(*_):\n    return device\n"), "name 'device' is not defined) at line 2"),
        ("python", file_with("def credential(*_):\n    raise SystemExit\n"), "raised SystemExit at line 2"),
    ],
    ids=["no key", "kind of key", "kind of key for AWS IoT", "no key file", "expired", "syntax", "name", "exit"],
)
def test_credentials_that_can_not_work_are_told_before_anything_is_fired(tmp_path, kind, given, sentence):
    assert sentence in refused(tmp_path, "fuzz", *CORRECT, "--credentials", kind, *given(tmp_path))


CUT_SHORT = ("run", "--target", "scripted", *PASSWORDS, "--cases", "20", "--cache", "cache")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache with the corpus of a run."""
    folder = tmp_path_factory.mktemp("cached")
    built = gatecrash_in_process(folder, "plan", *CUT_SHORT[1:], "--output", "plan.json")
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "cache"


@pytest.mark.parametrize("name", ["bodies.bin", "cases.bin", "index.bin", "corpus.json"])
def test_a_corpus_file_cut_short_is_told(tmp_path, cache, name):
    shutil.copytree(cache, tmp_path / "cache")
    (file,) = (tmp_path / "cache").glob(f"*/{name}")
    file.write_bytes(file.read_bytes()[:-5])
    line = refused(tmp_path, *CUT_SHORT)
    assert line == (
        f"gatecrash: the corpus in cache/{file.parent.name} is damaged or of another version; "
        "delete the folder, the corpus will be built again"
    )


def test_an_endpoint_that_is_no_service_of_aws(tmp_path):
    server = RawServer()
    arguments = ("--target", "iot", "--region", "us-east-1", "--endpoint-url", server.url, *PASSWORDS)
    line = refused(tmp_path, "run", *arguments)
    server.close()
    assert line == (
        f"gatecrash: {server.url} didn't describe the authorizer authorizer as AWS IoT does: is it the right endpoint?"
    )
