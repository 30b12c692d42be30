"""The sections of gatecrash.toml, with every key, its meaning and its default."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import click
from pydantic import BaseModel, ConfigDict, Field

from gatecrash.generators.mix import VALID_SHARE_DEFAULT

# Names of what lies on disk, each with its type on the command line; a handler's name has its function behind it.
File = Annotated[str, click.Path(dir_okay=False)]
Folder = Annotated[str, click.Path()]
Handler = Annotated[str, click.STRING]


class Section(BaseModel):
    """What all sections share: unknown keys are mistakes, and nothing changes once it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class TargetSection(Section):
    """Where requests are fired."""

    kind: Literal["local", "iot", "lambda", "handler", "scripted"] = Field(
        "local",
        description="local: the embedded gateway; iot: AWS IoT Core, or any endpoint; lambda: the function by Lambda's "
        "Invoke; handler: the Python handler in the firing process; scripted: a fake",
    )
    function: str | None = Field(None, min_length=1, description="name or ARN of the Lambda function, for kind lambda")
    log_tail: bool = Field(False, description="kind lambda: ask for the end of each log, which tells cold starts")
    endpoint_url: str | None = Field(None, description="endpoint in place of AWS's own, for kinds iot and lambda")
    region: str | None = Field(None, description="AWS region; boto3's own configuration by default")
    profile: str | None = Field(None, description="profile of the AWS configuration files")
    client: Literal["boto3", "wire"] | None = Field(
        None,
        description="what calls the API; default: wire on this machine and beyond 300 a second, else boto3",
    )
    script: dict[str, float | int | None] = Field(
        default_factory=dict, description="for kind scripted: latency, stall_at, stall, throttle_rate, … in seconds"
    )


class AuthorizerSection(Section):
    """The authorizer that is tested."""

    name: str = Field("authorizer", description="the authorizer's name")
    handler: Handler | None = Field(
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


class CredentialSection(Section):
    """How valid credentials are made."""

    kind: Literal["jwt", "password", "signed", "api_key", "python"] | None = Field(
        None, description="kind of profile; the sample's own when no handler is named"
    )
    algorithm: str | None = Field(None, description="jwt: RS256 (default), RS384, RS512, ES256, ES384, HS256, …")
    private_key: File | None = Field(None, description="jwt, signed: PEM file of the private key")
    secret_file: File | None = Field(None, description="jwt with HS256: file that holds the secret")
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
    table: File | None = Field(None, description="password, api_key: JSON Lines or CSV file")
    column: str | None = Field(None, description="api_key: column of the key")
    header: str | None = Field(None, description="api_key: header of the key")
    query: dict[str, str] | None = Field(None, description="api_key: query parameters, with {column} as template")
    file: File | None = Field(None, description="python: file with the function credential(identity, salt, minted_at)")


class CorpusSection(Section):
    """The cases that are fired."""

    cases: int = Field(200, ge=1, description="distinct cases; they are fired in turn, again and again")
    seed: int = Field(1, ge=0, description="the same seed gives the same cases")
    valid_share: float = Field(
        VALID_SHARE_DEFAULT, ge=0, le=1, description="share of valid cases; the rest are attacks"
    )
    devices: Literal["drawn", "in_turn"] | None = Field(
        None,
        description="whose credentials the cases have: drawn, or each device in turn; in turn for a spike, else drawn",
    )
    minted_at: int | None = Field(None, ge=0, description="epoch seconds at which tokens are made; now by default")


class LoadSection(Section):
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


class CapacitySection(Section):
    """What `gatecrash capacity` asks of the authorizer at a rate, and what the search may take."""

    percentile: float = Field(95.0, gt=0, lt=100, description="percentile of the response times that is looked at")
    latency: float = Field(0.25, gt=0, le=60, description="seconds from the intended start that it must lie within")
    throttle_rate: float = Field(0.01, ge=0, lt=1, description="highest share of throttled requests")
    error_rate: float = Field(
        0.01, ge=0, lt=1, description="highest share of handler errors, time-outs, invalid answers and failed calls"
    )
    wrong_rate: float = Field(
        0.0, ge=0, lt=1, description="highest share of wrong decisions, on cases that are decided rightly at rest"
    )
    start_rate: float = Field(20.0, gt=0, description="arrivals a second to begin with; the rate then doubles")
    max_rate: float | None = Field(None, gt=0, description="highest rate that is tried; none by default")
    probe_seconds: float = Field(6.0, ge=2, description="seconds that a rate is measured, more where samples are few")
    warm_up: float = Field(2.0, ge=0, description="seconds at each rate before those")
    width: float = Field(0.15, gt=0.02, lt=1, description="how wide the interval may be, as a share of its middle")
    seconds: float = Field(600.0, gt=0, description="longest time of the whole search")
    requests: int | None = Field(None, ge=1, description="most requests of the whole search; none by default")
    cost: float | None = Field(
        None, gt=0, description="most dollars of the whole search, for Lambda at 128 MB and 100 ms; none by default"
    )
    at_least: float | None = Field(
        None, gt=0, description="arrivals a second that must be held, else the exit code is 1; none by default"
    )


class ThresholdSection(Section):
    """What must hold of a run, or it fails with exit code 1. How it is written: docs/thresholds.md."""

    hold: list[str] = Field(
        default_factory=list, description='what must hold, such as "latency.p95 < 250ms" or "fail_open == 0"'
    )
    fail_if: list[str] = Field(
        default_factory=list, description='what must not be so, such as "throttle_rate > 1% over 30s"'
    )
    abort_if: list[str] = Field(
        default_factory=list, description="the same, and a run under load ends as soon as it is so"
    )
    abort_after: float = Field(5.0, ge=0, description="seconds that are measured before abort_if is looked at")
    too_few: Literal["fail", "skip"] = Field(
        "fail", description="what becomes of a threshold that can't be judged, for want of exchanges for example"
    )


class DistributedSection(Section):
    """A run over several machines. Nothing on the way is authenticated or encrypted: keep it in a private network."""

    bind: str = Field("127.0.0.1", description="address of this machine on which the master listens for workers")
    port: int = Field(5557, ge=1, le=65535, description="the master's port")
    master_host: str = Field("127.0.0.1", description="of a worker: where the master is")
    expect_workers: int | None = Field(None, ge=1, le=1000, description="of the master: how many workers it waits for")
    wait: float = Field(120.0, gt=0, description="seconds that master and workers wait for each other")


class SpikeSection(Section):
    """The scenario spike: a fleet that comes back at once, at load.rate before and after."""

    fleet: int = Field(2000, ge=1, description="devices that reconnect")
    within: float = Field(10.0, gt=0, description="seconds within which they do")
    before: float = Field(10.0, gt=0, description="seconds at load.rate before, to compare with")
    after: float = Field(30.0, gt=0, description="seconds at load.rate after, in which recovery is watched")


class SoakSection(Section):
    """The scenario soak: load.rate for long, to see what drifts."""

    duration: float = Field(3600.0, gt=0, description="seconds that are measured")


class FuzzSection(Section):
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


class CompareSection(Section):
    """With which run a run is compared, and from which change on something is better or worse.

    A change counts where it is at least so large and its interval leaves nought out.
    """

    against: str | None = Field(
        None,
        min_length=1,
        description="a run folder; last: the newest comparable run; last-good: the newest that passed, or was "
        "accepted by `gatecrash trend accept`",
    )
    confidence: float = Field(0.99, ge=0.8, lt=1, description="of every interval")
    latency: float = Field(0.05, ge=0, description="least relative change of a percentile: 0.05 is 5 %")
    latency_ms: float = Field(1.5, ge=0, description="least change of a percentile, in milliseconds")
    throttle_rate: float = Field(0.005, ge=0, lt=1, description="least change of the share of throttled requests")
    error_rate: float = Field(0.002, ge=0, lt=1, description="least change of the share of errors and time-outs")
    achieved_rate: float = Field(0.02, ge=0, description="least relative change of the exchanges a second")
    policies: Literal["judged", "told"] = Field(
        "judged", description="judged: another policy for the same case is worse; told: it is only told"
    )


class TrendSection(Section):
    """The history of runs, and from which change on a level is another one. What it is about: docs/trend.md."""

    history: File | None = Field(None, min_length=1, description="SQLite file to which each run adds itself at its end")
    significance: float = Field(
        0.001, gt=0, le=0.05, description="probability, for one number, that chance alone makes a change point"
    )
    runs: int = Field(90, ge=10, le=400, description="how many of the newest comparable runs are looked at")
    latency: float = Field(0.05, ge=0, description="least relative change of a percentile: 0.05 is 5 %")
    latency_ms: float = Field(0.5, ge=0, description="least change of a percentile, in milliseconds")
    throttle_rate: float = Field(0.005, ge=0, lt=1, description="least change of the share of throttled requests")
    error_rate: float = Field(0.002, ge=0, lt=1, description="least change of the share of errors and time-outs")
    achieved_rate: float = Field(0.02, ge=0, description="least relative change of the exchanges a second")
    capacity: float = Field(0.05, ge=0, description="least relative change of the rate that a search finds held")


class MetricsSection(Section):
    """Live metrics, off by default. What they need, and what there is: docs/metrics.md."""

    prometheus: str | None = Field(
        None,
        min_length=1,
        description="address and port on which Prometheus may scrape, such as 127.0.0.1:9464; port 0 takes a free one",
    )
    otlp: str | None = Field(
        None,
        min_length=1,
        description="URL of an OpenTelemetry collector, such as http://127.0.0.1:4318; secrets for it belong into "
        "OTEL_EXPORTER_OTLP_HEADERS",
    )
    interval: float = Field(10.0, ge=1, le=3600, description="seconds from one export to the collector to the next")
    linger: float = Field(
        0.0, ge=0, le=60, description="seconds that a finished run waits, at most, until Prometheus has its last values"
    )


class OutputSection(Section):
    """What is kept, and where."""

    runs: Folder = Field("runs", description="folder of the run folders")
    name: str = Field("run", description="name of the run, part of its folder's name")
    cache: Folder | None = Field(
        None, description="folder for corpora, which hold secrets; the user's cache by default"
    )
    keep: int | None = Field(
        None,
        ge=1,
        description="run folders of this name and command to keep; older ones go, never the newest good one; all by "
        "default",
    )
    baseline: File | None = Field(None, description="file of findings that are known and accepted until a date")
    revision: str | None = Field(
        None, description="what was tested, such as a commit; what the CI's own variables say by default"
    )
