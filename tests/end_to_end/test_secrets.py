"""No token, key or password reaches a file of the run folder, a log or the screen."""

import base64
import json
from functools import partial

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gatecrash.authorizers.contract import AuthorizerRequest, HttpContext
from gatecrash.authorizers.redact import secrets_of
from gatecrash.generators.corpus import Corpus
from tests.end_to_end.command import DEVICES, HANDLERS, gatecrash, run_folder, side_by_side

FAST = ("--duration", "1", "--warm-up", "0.2", "--rate", "80", "--cases", "40")


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path_factory.mktemp("keys") / "private.pem"
    path.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path


def profiles(folder, key):
    table = folder / "keys.jsonl"
    table.write_text("\n".join(json.dumps({"key": f"key-number-{n:04d}-abcdef", "tenant": f"t{n}"}) for n in range(9)))
    api_key = ("--credentials", "api_key", "--table", str(table), "--set", 'credentials.query={tenant = "{tenant}"}')
    return {
        "password": ("--credentials", "password", "--table", str(DEVICES)),
        "jwt": ("--credentials", "jwt", "--private-key", str(key)),
        "signed": ("--credentials", "signed", "--private-key", str(key)),
        "api_key": api_key,
    }


def noise_of(surroundings):
    """Return what was drawn to stand around a credential: recipes hold it, and it is no secret."""
    noise = {**surroundings["headers"], **{f"p-{name}": value for name, value in surroundings["parameters"].items()}}
    return secrets_of(AuthorizerRequest(http_context=HttpContext(headers=noise)))


HANDLER_NAMES = ("raises.py", "opens.py")
KINDS = ("password", "jwt", "signed", "api_key")


def ended_run(folder, key, kind, handler):
    """Return the folder and the finished process of a run."""
    return folder, gatecrash(folder, "run", "--handler", HANDLERS / handler, *profiles(folder, key)[kind], *FAST)


@pytest.fixture(scope="module")
def runs(tmp_path_factory, key):
    names = [(handler, kind) for handler in HANDLER_NAMES for kind in KINDS]
    jobs = (partial(ended_run, tmp_path_factory.mktemp("run"), key, kind, handler) for handler, kind in names)
    return dict(zip(names, side_by_side(*jobs, at_once=2), strict=True))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("handler", HANDLER_NAMES)
def test_nothing_secret_is_kept_or_shown(runs, kind, handler):
    folder, done = runs[handler, kind]
    assert done.returncode == 3, done.stdout + done.stderr
    stored = run_folder(folder)
    info = json.loads((stored / "run.json").read_text())
    corpus = Corpus(folder / info["corpus"]["folder"])
    secrets = {secret for _, request in corpus for secret in secrets_of(request) if len(secret) >= 8}
    # One character again and again, as of an attack, is also what bytes of counts may look like.
    secrets = {secret for secret in secrets if len(set(secret)) > 1}
    secrets |= {base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode() for secret in secrets}
    secrets -= {noise for meta, _ in corpus for noise in noise_of(meta.recipe["surroundings"])}
    secrets -= {part for part in secrets if part.startswith(("PythonV2", "NodeJSv2", "1.31", "1.22"))}
    corpus.close()
    assert len(secrets) >= 5
    texts = {path.name: path.read_text(errors="replace") for path in stored.rglob("*") if path.is_file()}
    texts |= {"screen": done.stdout, "errors": done.stderr}
    for name, text in texts.items():
        found = [secret[:12] for secret in secrets if secret in text]
        assert not found, f"{name} of {kind} holds {len(found)} secrets, such as {found[:3]}"
