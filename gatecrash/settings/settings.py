"""Settings: the only reader of gatecrash.toml and of the environment. Every key has a description and a default."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args

import click
from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import UsageError, WireError
from gatecrash.authorizers.samples import sample_path
from gatecrash.generators.credentials.from_settings import LIFETIME_DEFAULT
from gatecrash.reports.live.metrics_settings import metrics_settings
from gatecrash.reports.plan.facts import AWS_KINDS
from gatecrash.reports.thresholds.parsing import declared
from gatecrash.settings import sections
from gatecrash.settings.sections import Section

FILE: Final = "gatecrash.toml"
# GitHub Actions, GitLab CI, AWS CodeBuild, Jenkins.
_REVISIONS: Final = ("GITHUB_SHA", "CI_COMMIT_SHA", "CODEBUILD_RESOLVED_SOURCE_VERSION", "GIT_COMMIT")


class Settings(Section):
    """All settings, by section of gatecrash.toml."""

    target: sections.TargetSection = Field(default_factory=sections.TargetSection)
    authorizer: sections.AuthorizerSection = Field(default_factory=sections.AuthorizerSection)
    credentials: sections.CredentialSection = Field(default_factory=sections.CredentialSection)
    corpus: sections.CorpusSection = Field(default_factory=sections.CorpusSection)
    load: sections.LoadSection = Field(default_factory=sections.LoadSection)
    spike: sections.SpikeSection = Field(default_factory=sections.SpikeSection)
    soak: sections.SoakSection = Field(default_factory=sections.SoakSection)
    capacity: sections.CapacitySection = Field(default_factory=sections.CapacitySection)
    thresholds: sections.ThresholdSection = Field(default_factory=sections.ThresholdSection)
    distributed: sections.DistributedSection = Field(default_factory=sections.DistributedSection)
    fuzz: sections.FuzzSection = Field(default_factory=sections.FuzzSection)
    compare: sections.CompareSection = Field(default_factory=sections.CompareSection)
    trend: sections.TrendSection = Field(default_factory=sections.TrendSection)
    metrics: sections.MetricsSection = Field(default_factory=sections.MetricsSection)
    output: sections.OutputSection = Field(default_factory=sections.OutputSection)

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
    is one. A handler in the file is left out where ``overrides`` name a deployed target. Raises UsageError that names
    the place of a mistake and what is allowed.
    """
    path = file or Path(FILE)
    values: dict[str, Any] = {}
    if file is not None or path.exists():
        values = _read_toml(path)
        change_paths(values, lambda name: str(path.resolve().parent / name))
    if overrides.get("target.kind") in AWS_KINDS and isinstance(values.get("authorizer"), dict):
        # The file says what is tested on this machine; whoever names a deployed target beside it doesn't mean that.
        values["authorizer"].pop("handler", None)
    for key, value in overrides.items():
        _put(values, key, value)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise UsageError(_sentence(error, path if values and path.exists() else None)) from None
    declared(settings.thresholds.model_dump())
    metrics_settings(settings.metrics.model_dump())
    settings = _with_revision(settings)
    return _with_sample(settings) if settings.uses_sample else settings


def _with_revision(settings: Settings) -> Settings:
    revision = next((os.environ[name] for name in _REVISIONS if os.environ.get(name)), None)
    if settings.output.revision is not None or revision is None:
        return settings
    return settings.model_copy(update={"output": settings.output.model_copy(update={"revision": revision})})


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
        text = path.read_text(encoding="utf-8")
        return _read_json(text, path) if path.suffix == ".json" else tomllib.loads(text)
    except FileNotFoundError:
        raise UsageError(f"--config: there is no file {path}; `gatecrash init` writes a commented one") from None
    except OSError as error:
        raise UsageError(f"--config: can't read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from None


def _read_json(text: str, path: Path) -> dict[str, Any]:
    """Read settings as `gatecrash worker` hands its own on."""
    try:
        value = wire.decode(text.encode())
    except WireError:
        value = None
    if not isinstance(value, dict):
        raise UsageError(f"{path} holds no settings as a JSON object")
    return value


def stored_settings(settings: Settings) -> dict[str, Any]:
    """Return settings as a run folder keeps them: with absolute paths, so that a replay may run from anywhere."""
    values = settings.model_dump(mode="json", exclude_none=True)
    change_paths(values, lambda name: str(Path.cwd() / name))
    return values


def change_paths(values: dict[str, Any], change: Callable[[str], str]) -> None:
    """Change the name of every file and folder that settings name, such as one that is meant from their own folder.

    A handler's name has its function behind it.
    """
    for section, name, field in fields():
        place = values.get(section)
        if isinstance(place, dict) and isinstance(place.get(name), str) and type_on_disk(field) is not None:
            place[name] = change(place[name])


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


def sections_by_name() -> Iterator[tuple[str, type[Section]]]:
    """Yield every section of gatecrash.toml in its order, by its name."""
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield name, field.annotation


def fields() -> Iterator[tuple[str, str, FieldInfo]]:
    """Yield the section and name of every key of gatecrash.toml in its order, and how it is defined."""
    for section, model in sections_by_name():
        for name, field in model.model_fields.items():
            yield section, name, field


def known_keys() -> Iterator[str]:
    """Yield every key of gatecrash.toml in its order."""
    return (f"{section}.{name}" for section, name, _ in fields())


def type_on_disk(field: FieldInfo) -> click.ParamType[Any] | None:
    """Return the type that the command line has for what a key names on disk; None for any other key."""
    marks = (*field.metadata, *(mark for part in get_args(field.annotation) for mark in get_args(part)))
    return next((mark for mark in marks if isinstance(mark, click.ParamType)), None)


def credential_settings(settings: Settings) -> dict[str, Any]:
    """Return the credential settings that are set; they name files and variables, never secrets."""
    return settings.credentials.model_dump(exclude_none=True)
