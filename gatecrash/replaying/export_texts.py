"""The texts of exported files. Whatever they tell is hostile: it goes into literals and comments, never into code."""

from __future__ import annotations

import base64
import json
import re
import shlex
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gatecrash.reports.oracles.findings import Finding
from gatecrash.reports.words.findings import confirmation_sentence
from gatecrash.reports.words.spelling import visible

_WIDTH: Final = 110
_NAME_LENGTH_MAXIMUM: Final = 80
_END: Final = "REQUEST"
# Begins a paragraph that is there to be copied: it isn't wrapped.
_VERBATIM: Final = "    "


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a file tells a reader: its finding, and the ``run`` that it is from.

    ``until`` says how long its credentials hold; ``unsigned`` that it shows with signing disabled, though the settings'
    own authorizer has it; ``serve`` is the command that serves the authorizer on this machine, empty where it can't.
    """

    finding: Finding
    run: str
    until: str
    unsigned: bool
    serve: str

    def paragraphs(self) -> list[str]:
        """Return what every file says first; each paragraph is one line of characters that can be seen."""
        finding, rule = self.finding, self.finding.rule
        answered = ", ".join(dict.fromkeys(str(answer.get("outcome")) for answer in finding.answers))
        shows = confirmation_sentence(finding.confirmation) if finding.confirmation else finding.measured
        labelled = (
            ("", finding.sentence),
            ("", f"{rule.meaning} {rule.danger}"),
            ("The change: ", finding.description),
            ("", f"Expected {finding.expectation}, got {answered}." if answered else ""),
            ("It shows: ", shows),
            ("Remedy: ", rule.remedy),
            ("Sources: ", "; ".join(filter(None, (finding.source, *rule.sources)))),
            ("Exported by gatecrash from the run ", self.run),
        )
        return [visible(f"{label}{text}") for label, text in labelled if text]


def literal(value: Any, indent: int = 0) -> str:
    """Return a value of dictionaries, lists and plain values as Python that makes it."""
    short = _on_one_line(value)
    if not isinstance(value, dict | list) or not value or len(short) + indent <= _WIDTH:
        return short
    inner = " " * (indent + 4)
    if isinstance(value, dict):
        parts = [f"{inner}{_on_one_line(key)}: {literal(member, indent + 4)},\n" for key, member in value.items()]
    else:
        parts = [f"{inner}{literal(member, indent + 4)},\n" for member in value]
    return f"{short[0]}\n{''.join(parts)}{' ' * indent}{short[-1]}"


def _on_one_line(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_on_one_line(key)}: {_on_one_line(member)}' for key, member in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_on_one_line, value))}]"
    plain = repr(value)
    if isinstance(value, str | bytes) and plain.endswith("'") and '"' not in plain:
        mark = plain.index("'")
        return f'{plain[:mark]}"{plain[mark + 1 : -1]}"'
    return plain


def _docstring(paragraphs: Sequence[str]) -> str:
    text = "\n\n".join("\n".join(_wrap(paragraph, _WIDTH)) for paragraph in paragraphs)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"""{escaped}\n"""\n'


def _comment(paragraphs: Sequence[str]) -> str:
    return "#\n".join("".join(f"# {line}\n" for line in _wrap(paragraph, _WIDTH - 2)) for paragraph in paragraphs)


def _wrap(paragraph: str, width: int) -> list[str]:
    if paragraph.startswith(_VERBATIM):
        return [paragraph]
    return textwrap.wrap(paragraph, width, break_on_hyphens=False, break_long_words=False)


def pytest_file(about: Explanation, settings: Mapping[str, Any], finding: Mapping[str, Any]) -> str:
    """Return a test that fails as long as a finding shows."""
    slug = re.sub(r"[^a-z0-9]+", "_", about.finding.fingerprint.lower()).strip("_")[:_NAME_LENGTH_MAXIMUM].strip("_")
    paragraphs = [
        *about.paragraphs(),
        "The test makes the request anew, fires it, and fails when the finding shows again or can't be tested.",
        "No secret is in this file: SETTINGS name the files that hold them.",
    ]
    return (
        f"{_docstring(paragraphs)}\nfrom pathlib import Path\n\nfrom gatecrash.regression import assert_fixed\n\n"
        f"{_literals(settings, finding)}\n\n"
        f"def test_{slug}():\n    assert_fixed(SETTINGS, FINDING, folder=Path(__file__).resolve().parent)\n"
    )


def _literals(settings: Mapping[str, Any], finding: Mapping[str, Any]) -> str:
    return (
        "# The authorizer, and how its devices' credentials are made. Files are meant from the folder of this one.\n"
        f"SETTINGS = {literal(dict(settings))}\n\n"
        "# What was wrong, and the recipe of the request; no secret is in it.\n"
        f"FINDING = {literal(dict(finding))}\n"
    )


_BOTO3_MAIN: Final = """
def main():
    parser = argparse.ArgumentParser(description="Send the requests of a finding in their order.")
    parser.add_argument("--endpoint-url", help="endpoint in place of AWS's own")
    parser.add_argument("--region", help="AWS region (default: boto3's own configuration)")
    parser.add_argument("--authorizer-name", help="another authorizer than the finding's")
    parser.add_argument("--times", type=int, default=1, help="how often, for what shows now and then")
    given = parser.parse_args()
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
    client = boto3.client("iot", region_name=given.region, endpoint_url=given.endpoint_url, config=config)
    for _ in range(given.times):
        requests = %(requests)s
        for number, request in enumerate(requests, 1):
            if given.authorizer_name:
                request = {**request, "authorizerName": given.authorizer_name}
            print(f"{number} of {len(requests)}: {outcome(client, request)}")


def outcome(client, request):
    try:
        answer = client.test_invoke_authorizer(**request)
    except ClientError as error:
        return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
    answer.pop("ResponseMetadata")
    word = "authenticated" if answer["isAuthenticated"] else "denied"
    return f"{word} {json.dumps(answer)}"


if __name__ == "__main__":
    main()
"""


def boto3_script(
    about: Explanation,
    *,
    settings: Mapping[str, Any] | None = None,
    finding: Mapping[str, Any] | None = None,
    requests: list[dict[str, Any]] | None = None,
) -> str:
    """Return a script that sends the requests: those that are given, or else such as it makes anew each time."""
    imports = "import argparse\nimport json\n{}\nimport boto3\nfrom botocore.config import Config\n"
    imports += "from botocore.exceptions import ClientError\n{}\n"
    paragraphs = [*about.paragraphs(), *_hints(about, "python FILE")]
    if requests is not None:
        paragraphs.append(_warning(about))
        head = imports.format("", "") + f"# Credentials in clear text. {about.until}\n"
        return (
            _docstring(paragraphs)
            + f"\n{head}REQUESTS = {literal(requests)}\n\n"
            + _BOTO3_MAIN % {"requests": "REQUESTS"}
        )
    head = imports.format("from pathlib import Path\n", "\nfrom gatecrash.regression import requests_of\n")
    call = "requests_of(SETTINGS, FINDING, folder=Path(__file__).resolve().parent)"
    paragraphs.append("Credentials are made anew each time; no secret is in this file.")
    return (
        _docstring(paragraphs)
        + f"\n{head}{_literals(settings or {}, finding or {})}\n"
        + _BOTO3_MAIN % {"requests": call}
    )


def _hints(about: Explanation, call: str) -> list[str]:
    hints = []
    if about.unsigned:
        hints.append(
            "It shows with an authorizer of the same function whose signing is disabled: name that one with "
            "--authorizer-name."
        )
    if about.serve:
        hints.append("On this machine serve the authorizer, and send to it with any AWS credentials:")
        hints.append(f"{_VERBATIM}{visible(about.serve)}")
        hints.append(f"{_VERBATIM}{call} --endpoint-url http://127.0.0.1:4566 --region us-east-1")
    return hints


def _warning(about: Explanation) -> str:
    return f"Credentials stand in this file in clear text: keep it to yourself. {about.until}"


def shell_script(about: Explanation, names: Sequence[str], requests: Sequence[Mapping[str, Any]], flags: str) -> str:
    """Return a script for any POSIX shell that sends requests with the AWS CLI, of version 1 or 2."""
    binary = not all(_is_text(request) for request in requests)
    paragraphs = [
        *about.paragraphs(),
        "Arguments of this script go to each call of aws.",
        *_hints(about, "sh FILE"),
        _warning(about),
    ]
    parts = [
        "#!/bin/sh\n",
        _comment(paragraphs),
        "\nexport AWS_PAGER=\n",
        _BINARY_PASSWORD if binary else _TEXT_PASSWORD,
    ]
    parts += [f'set -- {flags} "$@"\n' if flags else "", _SEND]
    for number, (name, request) in enumerate(zip(names, requests, strict=True), 1):
        title = shlex.quote(visible(f"{number} of {len(requests)}: {name}"))
        body = json.dumps(_with_password(request, binary=binary))
        parts.append(f"\nprintf '%s\\n' {title} >&2\nsend \"$@\" <<'{_END}'\n{body}\n{_END}\n")
    return "".join(parts)


# In a file rather than an argument, which every user of the machine can see.
_SEND: Final = """
request=$(mktemp) || exit
trap 'rm -f "$request"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
send() {
    cat >"$request"
    aws iot test-invoke-authorizer --cli-input-json "file://$request" --output json "$@"
}
"""
_TEXT_PASSWORD: Final = """\
# Version 1 of the AWS CLI takes an MQTT password as text, and version 2 with this option.
case "$(aws --version 2>&1)" in
aws-cli/1.*) ;;
*) set -- --cli-binary-format raw-in-base64-out "$@" ;;
esac
"""
_BINARY_PASSWORD: Final = """\
# The MQTT password is not text: only version 2 of the AWS CLI can send it, as base64.
case "$(aws --version 2>&1)" in
aws-cli/1.*)
    echo "version 1 of the AWS CLI can't send an MQTT password that is not text: use version 2, or --as boto3" >&2
    exit 2
    ;;
esac
set -- --cli-binary-format base64 "$@"
"""


def _is_text(request: Mapping[str, Any]) -> bool:
    try:
        request.get("mqttContext", {}).get("password", b"").decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _with_password(request: Mapping[str, Any], *, binary: bool) -> dict[str, Any]:
    mqtt = request.get("mqttContext", {})
    if "password" not in mqtt:
        return dict(request)
    password = base64.b64encode(mqtt["password"]) if binary else mqtt["password"]
    return {**request, "mqttContext": {**mqtt, "password": password.decode("utf-8")}}
