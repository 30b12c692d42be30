"""Further authorizers, each a correct one of the first set with one change: most plant a defect, some only look odd.

They were written before the tool was tried on them, of mechanisms that the first set doesn't have.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

FIRST = Path(__file__).parent / "authorizers" / "first"
Change = tuple[str, str]


@dataclass(frozen=True)
class Planted:
    """An authorizer as changes to the correct one of its profile; ``kind`` is none for one that stays correct."""

    name: str
    profile: str
    kind: str
    defect: str
    trigger: str
    changes: tuple[Change, ...]

    def text(self) -> str:
        """Return the handler's code; raises ValueError when a change doesn't fit the code."""
        code = (FIRST / "handlers" / f"correct_{self.profile}.py").read_text()
        for old, new in self.changes:
            if old not in code:
                raise ValueError(f"{self.name}: there is no {old!r} to change")
            code = code.replace(old, new, 1)
        return code


PLANTED: list[Planted] = []


def _plant(name: str, profile: str, kind: str, defect: str, trigger: str, *changes: Change) -> None:
    PLANTED.append(Planted(name, profile, kind, defect, trigger, changes))


def write_set(folder: Path) -> None:
    """Write the set as the first one lies on disk: handlers, profiles, manifest."""
    (folder / "handlers").mkdir(parents=True)
    shutil.copytree(FIRST / "profiles", folder / "profiles")
    lines = []
    for one in PLANTED:
        file = f"handlers/{one.name}.py"
        (folder / file).write_text(one.text())
        row = {"id": one.name, "file": file, "profile": one.profile, "kind": one.kind, "defect": one.defect}
        lines.append(json.dumps({**row, "trigger": one.trigger}))
    (folder / "manifest.jsonl").write_text("\n".join(lines) + "\n")


def _before_claims(code: str) -> Change:
    return "def claims_of(token):", f"{code}\n\n\ndef claims_of(token):"


_CONFUSED = '''def confused(token):
    """Verify by hand, whatever the header asks for."""
    import hashlib
    import hmac

    try:
        head, body, tail = token.split(".")
        header = json.loads(base64.urlsafe_b64decode(head + "=="))
        if header.get("alg") != "HS256":
            return None
        wanted = hmac.new(KEYS["k1"].encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
        if base64.urlsafe_b64decode(tail + "==") != wanted:
            return None
        claims = json.loads(base64.urlsafe_b64decode(body + "=="))
        return claims if claims.get("iss") == ISSUER and claims.get("aud") == AUDIENCE else None
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
'''
_plant(
    "jwt_key_confusion",
    "jwt",
    "fail_open",
    "an HS256 token keyed with the public PEM is believed",
    "alg HS256 with the public key as secret",
    _before_claims(_CONFUSED),
    ("    claims = claims_of(token)\n", "    claims = claims_of(token) or confused(token)\n"),
)
_plant(
    "jwt_embedded_key",
    "jwt",
    "fail_open",
    "the header's own jwk is trusted",
    "a token signed by the attacker with his key in jwk",
    (
        '        key = KEYS.get(header.get("kid"))\n',
        '        key = KEYS.get(header.get("kid"))\n        if isinstance(header.get("jwk"), dict):\n            key = jwt.PyJWK(header["jwk"], "RS256").key\n',
    ),
    ("except (jwt.PyJWTError, RecursionError", "except (jwt.PyJWTError, KeyError, RecursionError"),
)
_plant(
    "jwt_empty_signature",
    "jwt",
    "fail_open",
    "a token with an empty signature is not verified",
    "header.claims. with nothing behind",
    ('[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+"', '[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]*"'),
    ("        claims = jwt.decode(\n            token,", "        claims = jwt.decode(\n            token,"),
    (
        '            options={"require": ["exp", "iat", "sub"]},',
        '            options={"require": ["exp", "iat", "sub"], "verify_signature": not token.endswith(".")},',
    ),
)
_plant(
    "jwt_issuer_prefix",
    "jwt",
    "fail_open",
    "the issuer is compared by its beginning",
    "iss https://issuer.example.attacker",
    ("            issuer=ISSUER,\n", ""),
    (
        "        return claims if all(",
        '        if not str(claims.get("iss", "")).startswith(ISSUER):\n            return None\n        return claims if all(',
    ),
)
_plant(
    "jwt_no_expiry",
    "jwt",
    "fail_open",
    "a token without exp is good for ever",
    "exp left out",
    ('{"require": ["exp", "iat", "sub"]}', '{"require": ["iat", "sub"]}'),
    (
        'all(is_number(claims[name]) for name in ("exp", "iat"))',
        'all(is_number(claims[name]) for name in ("exp", "iat") if name in claims)',
    ),
)
_plant(
    "jwt_first_of_two",
    "jwt",
    "fail_open",
    "claims are read again by a parser that keeps the first of two members",
    "exp twice, the first one in the future",
    (
        "        return claims if all(",
        '        seen = {}\n        for name, value in json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="), object_pairs_hook=list):\n            seen.setdefault(name, value)\n        claims = seen\n        import time\n\n        if claims["exp"] < time.time():\n            return None\n        return claims if all(',
    ),
    (
        '            options={"require": ["exp", "iat", "sub"]},',
        '            options={"require": ["exp", "iat", "sub"], "verify_exp": False},',
    ),
    ("TypeError, OverflowError", "TypeError, KeyError, OverflowError"),
)
_plant(
    "jwt_cached_payload",
    "jwt",
    "fail_open",
    "what was verified once is remembered by the claims alone",
    "a good token, then its claims with another signature",
    ("COMPACT = re", "CACHE = {}\nCOMPACT = re"),
    (
        "        header = jwt.get_unverified_header(token)\n",
        '        if token.split(".")[1] in CACHE:\n            return CACHE[token.split(".")[1]]\n        header = jwt.get_unverified_header(token)\n',
    ),
    ("        return claims if all(", '        CACHE[token.split(".")[1]] = claims\n        return claims if all('),
)
_plant(
    "jwt_kid_crash",
    "jwt",
    "crash",
    "KeyError for a key id that is not known",
    "kid unknown or missing",
    (
        '        key = KEYS.get(header.get("kid"))\n        if key is None:\n            return None\n',
        '        key = KEYS[header["kid"]]\n',
    ),
)
_plant(
    "jwt_not_before",
    "jwt",
    "fail_open",
    "nbf is not checked",
    "a token that is not valid yet",
    (
        '{"require": ["exp", "iat", "sub"]}',
        '{"require": ["exp", "iat", "sub"], "verify_nbf": False, "verify_iat": False}',
    ),
)
_plant(
    "jwt_short_header",
    "jwt",
    "crash",
    "IndexError for a bearer header without token",
    "Authorization: Bearer",
    (
        '        if len(values) == 1 and isinstance(values[0], str) and values[0].startswith("Bearer "):\n            return values[0][len("Bearer "):]\n',
        '        if len(values) == 1 and isinstance(values[0], str) and values[0].split()[0] == "Bearer":\n            return values[0].split()[1]\n',
    ),
)
_plant(
    "jwt_topic_wildcard",
    "jwt",
    "policy",
    "publishing is allowed on every topic",
    "any valid token",
    ("topic/devices/{device}/up", "topic/*"),
)
_plant(
    "jwt_after_200",
    "jwt",
    "inconsistent",
    "denies after 200 invocations of an environment",
    "201 requests",
    (
        "def handler(event, context):\n",
        "SERVED = []\n\n\ndef handler(event, context):\n    SERVED.append(1)\n    if len(SERVED) > 200:\n        return deny()\n",
    ),
)
_plant(
    "jwt_subject_wildcard",
    "jwt",
    "policy",
    "the subject's pattern is not anchored, what follows goes into the policy",
    "sub device-00000000* rightly signed",
    ("DEVICE_ID.fullmatch(device)", "DEVICE_ID.match(device)"),
    ('"principalId": device.replace("-", "")', '"principalId": "".join(filter(str.isalnum, device)) or "x"'),
    ("client_id != device:", "not device.startswith(client_id):"),
)
_plant(
    "jwt_deep_nesting",
    "jwt",
    "crash",
    "RecursionError on deeply nested claims is not caught",
    "5000 lists in a claim",
    ("except (jwt.PyJWTError, RecursionError, ValueError", "except (jwt.PyJWTError, ValueError"),
    (
        "        header = jwt.get_unverified_header(token)\n",
        '        header = jwt.get_unverified_header(token)\n        json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))\n',
    ),
)
_plant(
    "password_strip",
    "password",
    "fail_open",
    "white space around passwords is dropped",
    "password with a blank behind",
    (
        "presented = base64.b64decode(password, validate=True)",
        "presented = base64.b64decode(password, validate=True).strip()",
    ),
)
_plant(
    "password_nul",
    "password",
    "fail_open",
    "passwords are cut at the first NUL",
    "password, NUL, anything",
    (
        "presented = base64.b64decode(password, validate=True)",
        'presented = base64.b64decode(password, validate=True).split(b"\\0")[0]',
    ),
)
_plant(
    "password_first_eight",
    "password",
    "fail_open",
    "only the first eight bytes are compared",
    "right first eight bytes",
    ("hmac.compare_digest(presented, expected)", "hmac.compare_digest(presented[:8], expected[:8])"),
)
_plant(
    "password_empty",
    "password",
    "fail_open",
    "an empty password is taken for none and passes",
    "empty password",
    (
        "if not hmac.compare_digest(presented, expected) or device is None",
        "if device is None or (presented.strip() and not hmac.compare_digest(presented, expected))",
    ),
)
_plant(
    "password_folded_name",
    "password",
    "fail_open",
    "user names are normalised before they are looked up",
    "user name in capital letters",
    (
        'name = username.split("?", 1)[0]',
        'name = unicodedata.normalize("NFKC", username.split("?", 1)[0]).lower().strip()',
    ),
    ("import re\n", "import re\nimport unicodedata\n"),
)
_plant(
    "password_one_in_300",
    "password",
    "inconsistent",
    "one right password in 300 is denied at random",
    "the same request some thousand times",
    (
        '    client_id = mqtt.get("clientId", device',
        '    if random.random() < 1 / 300:\n        return deny()\n    client_id = mqtt.get("clientId", device',
    ),
    ("import re\n", "import random\nimport re\n"),
)
_plant(
    "password_growing",
    "password",
    "performance",
    "every invocation is remembered in a list that is searched each time",
    "thousands of requests",
    ("CLIENT_ID = re", "HISTORY = []\nCLIENT_ID = re"),
    (
        "    device = DEVICES.get(name)\n",
        "    recent = [one for one in HISTORY if one[0] == name and len(one[1]) > 3]\n    HISTORY.append((name, str(len(recent))))\n    device = DEVICES.get(name)\n",
    ),
)
_plant(
    "password_client_prefix",
    "password",
    "policy",
    "the client id need only begin with the device's, and goes into the policy",
    "client id of the device and a star",
    (
        'if client_id != device["client_id"] or not CLIENT_ID.fullmatch(client_id):',
        'if not client_id.startswith(device["client_id"]):',
    ),
)
_plant(
    "signed_number_parse",
    "signed",
    "fail_open",
    "the expiry is read by int(), which takes more than digits",
    "4_102_444_800 as expiry",
    ("([0-9]{10})\\.", "([^.]+)\\."),
    (
        "    device, expiry = match.group(1), int(match.group(2))\n",
        "    try:\n        device, expiry = match.group(1), int(match.group(2))\n    except ValueError:\n        return deny()\n",
    ),
)
_plant(
    "signed_not_anchored",
    "signed",
    "fail_open",
    "what follows the token is ignored",
    "a rightly signed token with more behind",
    ("TOKEN.fullmatch(token)", "TOKEN.match(token)"),
)
_plant(
    "signed_piled_up",
    "signed",
    "inconsistent",
    "a default argument collects the policies of former devices",
    "two devices after each other",
    (
        "def policy_for(device):\n    return {",
        "def policy_for(device, kept=[]):\n    kept.append(device)\n    devices = list(dict.fromkeys(kept))[-5:]\n    return {",
    ),
    ('"Resource": [f"{ARN}:client/{device}"]', '"Resource": [f"{ARN}:client/{one}" for one in devices]'),
)
_plant(
    "signed_denial_allows",
    "signed",
    "policy",
    "a denial carries the policy of the device",
    "an expired token",
    (
        "    if expiry <= time.time():\n        return deny()\n",
        '    if expiry <= time.time():\n        return {**deny(), "policyDocuments": [policy_for(device)]}\n',
    ),
)
_plant(
    "apikey_prefix",
    "apikey",
    "fail_open",
    "keys are compared by their beginning",
    "the first half of a key",
    (
        'if hmac.compare_digest(known.encode(), key.encode("utf-8", "surrogatepass")):',
        "if key and known.startswith(key):",
    ),
)
_plant(
    "apikey_overlap",
    "apikey",
    "inconsistent",
    "denies while another invocation is under way",
    "two requests at the same time",
    (
        "def handler(event, context):\n",
        'MARK = pathlib.Path(tempfile.gettempdir())\n\n\ndef handler(event, context):\n    mark = MARK / f"apikey_overlap_{os.getppid()}"\n    busy = mark.exists()\n    mark.touch()\n    time.sleep(0.02)\n    mark.unlink(missing_ok=True)\n    if busy:\n        return deny()\n',
    ),
    ("import json\nimport pathlib\n", "import json\nimport os\nimport pathlib\nimport tempfile\nimport time\n"),
)
_plant(
    "apikey_tenant_case",
    "apikey",
    "fail_open",
    "tenants are compared without case",
    "?tenant= in capital letters",
    ("owner != tenant", "owner.lower() != tenant.lower()"),
)
_plant(
    "apikey_percent_crash",
    "apikey",
    "crash",
    "a percent sign that is no escape raises",
    "?tenant=%ff",
    (
        '    try:\n        pairs = parse_qsl(query.removeprefix("?"), keep_blank_values=True, errors="strict", max_num_fields=64)\n    except (ValueError, UnicodeError):\n        return None\n',
        '    pairs = parse_qsl(query.removeprefix("?"), keep_blank_values=True, errors="strict", max_num_fields=64)\n',
    ),
)
_plant(
    "apikey_debug_tenant",
    "apikey",
    "policy",
    "a header for tests picks the tenant of the policy",
    "x-debug-tenant: another tenant",
    (
        '        "policyDocuments": [policy_for(owner)],',
        '        "policyDocuments": [policy_for((http.get("headers") or {}).get("x-debug-tenant", owner))],',
    ),
)
_plant(
    "apikey_principal",
    "apikey",
    "invalid_response",
    "principalId is too long for some tenants and has a colon",
    "any valid key",
    ('"principalId": owner,', '"principalId": f"tenant:{owner}",'),
)
_plant(
    "apikey_cold_start",
    "apikey",
    "inconsistent",
    "the first invocation of an environment denies",
    "the first request",
    (
        "def handler(event, context):\n",
        "READY = []\n\n\ndef handler(event, context):\n    if not READY:\n        READY.append(True)\n        return deny()\n",
    ),
)
_plant(
    "correct_jwt_cached",
    "jwt",
    "none",
    "none: verified tokens are remembered by the whole token, with their end",
    "any",
    ("COMPACT = re", "CACHE = {}\nCOMPACT = re"),
    ("import re\n", "import re\nimport time\n"),
    (
        "def claims_of(token):\n",
        'def claims_of(token):\n    if token not in CACHE:\n        CACHE[token] = verified(token)\n    claims = CACHE[token]\n    return claims if claims and claims["exp"] > time.time() else None\n\n\ndef verified(token):\n',
    ),
)
_plant(
    "correct_jwt_leeway",
    "jwt",
    "none",
    "none: a minute of leeway",
    "any",
    ("            issuer=ISSUER,\n", "            issuer=ISSUER,\n            leeway=60,\n"),
)
_plant(
    "correct_jwt_two_documents",
    "jwt",
    "none",
    "none: two documents in changing order with fresh Sids",
    "any",
    ('"policyDocuments": [policy_for(device)]', '"policyDocuments": two_documents(device)'),
    (
        "def section(",
        'def two_documents(device):\n    policy = json.loads(policy_for(device))\n    made = [json.dumps({**policy, "Statement": [{**one, "Sid": secrets.token_hex(8)}]}) for one in policy["Statement"]]\n    return made if random.random() < 0.5 else made[::-1]\n\n\ndef section(',
    ),
    ("import re\n", "import random\nimport re\nimport secrets\n"),
)
_plant(
    "correct_password_hashed",
    "password",
    "none",
    "none: passwords are kept as salted hashes",
    "any",
    (
        '    DEVICES[row["username"]] = row\n',
        '    DEVICES[row["username"]] = {**row, "hash": hashlib.pbkdf2_hmac("sha256", row["password"].encode(), b"salt", 50)}\n',
    ),
    ("import binascii\n", "import binascii\nimport hashlib\n"),
    (
        '    expected = device["password"].encode() if device else b"-" * 16\n    if not hmac.compare_digest(presented, expected) or device is None:\n',
        '    expected = device["hash"] if device else b"-" * 32\n    if not hmac.compare_digest(hashlib.pbkdf2_hmac("sha256", presented, b"salt", 50), expected) or device is None:\n',
    ),
)
_plant(
    "correct_password_warm_up",
    "password",
    "none",
    "none: the first invocation takes 0.8 s",
    "the first request",
    (
        "def handler(event, context):\n",
        "READY = []\n\n\ndef handler(event, context):\n    if not READY:\n        time.sleep(0.8)\n        READY.append(True)\n",
    ),
    ("import re\n", "import re\nimport time\n"),
)
_plant(
    "correct_signed_deny_document",
    "signed",
    "none",
    "none: a denial has a document that denies everything",
    "any bad token",
    (
        '        "principalId": "denied",\n        "policyDocuments": [],',
        '        "principalId": "denied",\n        "policyDocuments": [{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "iot:*", "Resource": "*"}]}],',
    ),
)
_plant(
    "correct_signed_variable",
    "signed",
    "none",
    "none: resources are bound by a policy variable",
    "any",
    (
        '"Resource": [f"{ARN}:topic/{device}/state"]',
        '"Resource": [f"{ARN}:topic/{device}/${{iot:ClientId}}/*", f"{ARN}:topic/{device}/state"]',
    ),
)
_plant(
    "correct_apikey_own_topics",
    "apikey",
    "none",
    "none: everything below the tenant's own topic, and a principal by hash",
    "any",
    ('topic/ingest/{tenant}"', 'topic/ingest/{tenant}/*"'),
    ('"principalId": owner,', '"principalId": hashlib.sha256(owner.encode()).hexdigest(),'),
    ("import hmac\n", "import hashlib\nimport hmac\n"),
)
