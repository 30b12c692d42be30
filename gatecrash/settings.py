"""Settings: the only reader of gatecrash.toml and of the environment. Every key has a description and a default."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from authorizers.errors import UsageError
from authorizers.samples import sample_path
from generators.credentials.opening import LIFETIME_DEFAULT
from generators.mix import VALID_SHARE_DEFAULT

FILE: Final = "gatecrash.toml"
_PATHS: Final = {
    "authorizer": ("handler",),
    "credentials": ("private_key", "secret_file", "table", "file"),
    "output": ("runs", "cache", "baseline"),
}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class TargetSettings(_Section):
    """Where requests are fired."""

    kind: Literal["local", "iot", "handler", "scripted"] = Field(
        "local",
        description="local: the embedded gateway; iot: AWS IoT Core, or any endpoint; handler: the Python handler in "
        "the firing process; scripted: a fake",
    )
    endpoint_url: str | None = Field(None, description="endpoint in place of AWS's own, for kind iot")
    region: str | None = Field(None, description="AWS region, for kind iot; boto3's own configuration by default")
    profile: str | None = Field(None, description="profile of the AWS configuration files, for kind iot")
    client: Literal["boto3", "wire"] | None = Field(
        None,
        description="what calls the API; default: wire on this machine and beyond 300 a second, else boto3",
    )
    script: dict[str, float | int | None] = Field(
        default_factory=dict, description="for kind scripted: latency, stall_at, stall, throttle_rate, … in seconds"
    )


class AuthorizerSettings(_Section):
    """The authorizer that is tested."""

    name: str = Field("authorizer", description="the authorizer's name")
    handler: str | None = Field(
        None,
        description="Lambda handler for targets local and handler: path/to/file.py:function, or a .mjs or .js file",
    )
    command: list[str] | None = Field(
        None, description="command that starts the runtime client of another language, for target local"
    )
    token_key_name: str | None = Field(None, description="header or parameter under which a token travels")
    dialect: Literal["test_invoke", "device"] = Field(
        "test_invoke", description="event as TestInvokeAuthorizer sends it, or as a device's connection does"
    )
    timeout: float = Field(5.0, gt=0, le=5.0, description="seconds until a handler is stopped, for target local")
    environments: int = Field(4, ge=0, description="execution environments started ahead, for target local")
    concurrency: int = Field(32, ge=1, description="most environments at a time, for target local")
    calls_per_second: float | None = Field(
        None, gt=0, description="API rate of the embedded gateway; none by default, AWS has 10"
    )
    faults: dict[str, Any] | None = Field(
        None, description="faults that the embedded gateway injects: errors, latency, latency_rate, crash_rate, seed"
    )
    show_output: bool = Field(False, description="pass on what the handler prints (it may print secrets)")


class CredentialSettings(_Section):
    """How valid credentials are made."""

    kind: Literal["jwt", "password", "signed", "api_key", "python"] | None = Field(
        None, description="kind of profile; the sample's own when no handler is named"
    )
    algorithm: str | None = Field(None, description="jwt: RS256 (default), RS384, RS512, ES256, ES384, HS256, …")
    private_key: str | None = Field(None, description="jwt, signed: PEM file of the private key")
    secret_file: str | None = Field(None, description="jwt with HS256: file that holds the secret")
    secret_variable: str | None = Field(None, description="jwt with HS256: environment variable that holds it")
    key_id: str | None = Field(None, description="jwt: kid of the header")
    claims: dict[str, Any] | None = Field(None, description="jwt: claims, with templates such as {identity}")
    token: str | None = Field(None, description="signed: template of the token")
    identity: str | None = Field(None, description="jwt, signed: template of a device's name, such as dev{number:4}")
    identities: int | None = Field(None, ge=1, description="jwt, signed: how many devices there are")
    client_id: str | None = Field(None, description="jwt, signed: template of the MQTT client id")
    lifetime: int | None = Field(None, ge=1, description="jwt, signed: seconds until a credential expires")
    carriers: list[str] | None = Field(
        None,
        description="jwt: bearer_header, mqtt_password; jwt, signed: token, token_in_username, token_in_query, "
        "token_in_header",
    )
    table: str | None = Field(None, description="password, api_key: JSON Lines or CSV file")
    column: str | None = Field(None, description="api_key: column of the key")
    header: str | None = Field(None, description="api_key: header of the key")
    query: dict[str, str] | None = Field(None, description="api_key: query parameters, with {column} as template")
    file: str | None = Field(None, description="python: file with the function credential(identity, salt, minted_at)")


class CorpusSettings(_Section):
    """The cases that are fired."""

    cases: int = Field(200, ge=1, description="distinct cases; they are fired in turn, again and again")
    seed: int = Field(1, ge=0, description="the same seed gives the same cases")
    valid_share: float = Field(
        VALID_SHARE_DEFAULT, ge=0, le=1, description="share of valid cases; the rest are attacks"
    )
    minted_at: int | None = Field(None, ge=0, description="epoch seconds at which tokens are made; now by default")


class LoadSettings(_Section):
    """When, and how hard."""

    model: Literal["open", "closed"] = Field("open", description="open: arrivals by schedule; closed: users' own pace")
    arrivals: Literal["even", "poisson"] = Field("even", description="how arrivals are spread")
    rate: float = Field(100.0, gt=0, description="arrivals a second")
    duration: float = Field(30.0, gt=0, description="seconds that are measured")
    warm_up: float = Field(3.0, ge=0, description="seconds before them that are kept apart")
    users: int = Field(50, ge=1, description="slots of the open model, users of the closed one")
    patience: float = Field(5.0, gt=0, description="seconds that an arrival waits for a slot before it is dropped")
    wait_time: float = Field(0.0, ge=0, description="closed model: seconds between two requests of a user")
    processes: int = Field(1, ge=1, le=64, description="Locust workers on this machine")


class FuzzSettings(_Section):
    """What `gatecrash fuzz` may take. Every single attack is always tried; time and requests bound the rest."""

    drawn: int = Field(1000, ge=0, description="cases of up to four changes that Hypothesis draws")
    seconds: float = Field(15.0, gt=0, description="seconds for the phases in this process")
    gateway_seconds: float = Field(6.0, ge=0, description="seconds for the phases that Locust fires; 0: none")
    requests: int | None = Field(
        None, ge=1, description="most requests at a gateway or at AWS; 20000 for a gateway, 400 for AWS by default"
    )
    rate: float | None = Field(
        None, gt=0, description="most requests a second at a gateway or at AWS; 8 for AWS by default, whose quota is 10"
    )
    confirm_seconds: float = Field(20.0, gt=0, description="seconds for confirming and shrinking all findings")
    shrink_requests: int = Field(200, ge=0, description="most requests to make one finding smaller")


class OutputSettings(_Section):
    """What is kept, and where."""

    runs: str = Field("runs", description="folder of the run folders")
    name: str = Field("run", description="name of the run, part of its folder's name")
    cache: str | None = Field(None, description="folder for corpora, which hold secrets; the user's cache by default")
    baseline: str | None = Field(None, description="file of findings that are known and accepted until a date")


class Settings(_Section):
    """All settings, by section of gatecrash.toml."""

    target: TargetSettings = Field(default_factory=TargetSettings)
    authorizer: AuthorizerSettings = Field(default_factory=AuthorizerSettings)
    credentials: CredentialSettings = Field(default_factory=CredentialSettings)
    corpus: CorpusSettings = Field(default_factory=CorpusSettings)
    load: LoadSettings = Field(default_factory=LoadSettings)
    fuzz: FuzzSettings = Field(default_factory=FuzzSettings)
    output: OutputSettings = Field(default_factory=OutputSettings)

    @property
    def uses_sample(self) -> bool:
        """Whether the sample authorizer stands in for the user's own."""
        return (
            self.target.kind in {"local", "handler"}
            and self.authorizer.handler is None
            and self.authorizer.command is None
        )

    def cache_folder(self) -> Path:
        """Return where corpora are kept."""
        if self.output.cache is not None:
            return Path(self.output.cache)
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        return Path(base) / "gatecrash" / "corpora"


def read_settings(file: Path | None, overrides: Mapping[str, Any]) -> Settings:
    """Read gatecrash.toml and lay what was given on the command line over it.

    ``overrides`` are dotted keys and values. Without ``file`` gatecrash.toml of the current folder is read if there
    is one. Raises UsageError that names the place of a mistake and what is allowed.
    """
    path = file or Path(FILE)
    values: dict[str, Any] = {}
    if file is not None or path.exists():
        values = _read_toml(path)
        change_paths(values, lambda name: str(path.resolve().parent / name))
    for key, value in overrides.items():
        _put(values, key, value)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise UsageError(_sentence(error, path if values and path.exists() else None)) from None
    return _with_sample(settings) if settings.uses_sample else settings


def _with_sample(settings: Settings) -> Settings:
    """Fill in the sample authorizer, whose key is in its own source for everyone to see."""
    sample = sample_path("jwt_authorizer.py")
    authorizer = settings.authorizer.model_copy(update={"handler": f"{sample}:handler"})
    if settings.credentials.kind is not None:
        return settings.model_copy(update={"authorizer": authorizer})
    credentials = settings.credentials.model_copy(
        update={
            "kind": "jwt",
            "algorithm": "HS256",
            "secret_file": str(sample_path("jwt_secret.txt")),
            "claims": {"iss": "https://issuer.example", "aud": "iot-devices", "sub": "{identity}"},
            "lifetime": LIFETIME_DEFAULT,
        }
    )
    return settings.model_copy(update={"authorizer": authorizer, "credentials": credentials})


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"--config: there is no file {path}; `gatecrash init` writes a commented one") from None
    except OSError as error:
        raise UsageError(f"--config: can't read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from None


def stored_settings(settings: Settings) -> dict[str, Any]:
    """Return settings as a run folder keeps them: with absolute paths, so that a replay may run from anywhere."""
    values = settings.model_dump(mode="json", exclude_none=True)
    change_paths(values, lambda name: str(Path.cwd() / name))
    return values


def change_paths(values: dict[str, Any], change: Callable[[str], str]) -> None:
    """Change the name of every file and folder that settings name, such as one that is meant from their own folder.

    A handler's name has its function behind it.
    """
    for section, keys in _PATHS.items():
        place = values.get(section)
        if isinstance(place, dict):
            for key in keys:
                if isinstance(place.get(key), str):
                    place[key] = change(place[key])


def _put(values: dict[str, Any], key: str, value: Any) -> None:
    *sections, name = key.split(".")
    place = values
    for section in sections:
        below = place.setdefault(section, {})
        if not isinstance(below, dict):
            raise UsageError(f"--set {key}: {section} is a value, not a section")
        place = below
    place[name] = value


def parse_assignment(text: str) -> tuple[str, Any]:
    """Read ``key=value`` of --set; the value is TOML, or text where it is no TOML.

    Raises UsageError when there is no ``=`` or no dotted key before it.
    """
    key, mark, value = text.partition("=")
    key = key.strip()
    if not mark or "." not in key:
        raise UsageError(f"--set {text}: write it as section.key=value, for example --set load.rate=200")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value


def _sentence(error: ValidationError, path: Path | None) -> str:
    return "; ".join(_mistake(dict(mistake), path) for mistake in error.errors())


def _mistake(mistake: dict[str, Any], path: Path | None) -> str:
    key = ".".join(map(str, mistake["loc"]))
    where = f"{path}: " if path is not None else ""
    if mistake["type"] == "extra_forbidden":
        known, sections = list(known_keys()), list(Settings.model_fields)
        section = key.rpartition(".")[0]
        candidates = [name for name in known if name.rpartition(".")[0] == section] if section else sections
        near = difflib.get_close_matches(key, known + sections, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(candidates or sections)}"
        return f"{where}there is no setting {key}; {hint}"
    return f"{where}{key} is {mistake['input']!r}: {mistake['msg'][:1].lower()}{mistake['msg'][1:]}"


def known_keys() -> Iterator[str]:
    """Yield every key of gatecrash.toml in its order."""
    for section, field in Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            for name in model.model_fields:
                yield f"{section}.{name}"


def credential_settings(settings: Settings) -> dict[str, Any]:
    """Return the credential settings that are set; they name files and variables, never secrets."""
    return settings.credentials.model_dump(exclude_none=True)
