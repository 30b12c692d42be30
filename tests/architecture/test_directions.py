"""The directions of dependency: which package may import what, imports inside functions included."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = {"authorizers", "generators", "firing", "locustfiles", "reports", "gatecrash"}
STANDARD = set(sys.stdlib_module_names)

PURE = {"orjson"}
PURE_MODULES = {
    *("answers", "carriers", "classify", "contract", "errors", "event", "limits", "policy", "redact", "wire"),
}
AWS_MODULES = {
    f"authorizers/targets/{name}.py" for name in ("aws_clients", "iot_api", "lambda_function", "wire_operation")
}
# The wire client fires in gevent, and waits on its loop itself.
GEVENT_MODULES = {"authorizers/targets/wire/readable.py"}
REPORT_LIBRARIES = {"orjson", "msgspec", "hdrh", "plotly", "jinja2", "rich", "markupsafe"}


def modules(package):
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", sorted(OURS))
def test_there_is_one_import_name(package):
    """Five names in site-packages would hide, or be hidden by, folders of the same names in somebody's project."""
    for path in modules(package):
        assert not {top(name) for name in imports_of(path)} & (OURS - {"gatecrash"}), relative(path)


def imports_of(path):
    """Every module that a file imports, anywhere in it, by its full name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def top(name):
    return name.partition(".")[0]


def folder_name(name):
    """The name of a module of ours by its place in this repository: its folder first."""
    inner = name.removeprefix("gatecrash.")
    return inner if top(inner) in OURS else name


def foreign(path):
    """Imported packages that are neither Python's nor this project's."""
    return {top(name) for name in imports_of(path)} - STANDARD - {"gatecrash"}


def own(path):
    """Modules of ours that a file imports, by their places."""
    return {folder_name(name) for name in imports_of(path) if top(name) == "gatecrash"} - OURS


def relative(path):
    return path.relative_to(ROOT).as_posix()


def is_pure(path):
    return path.parent == ROOT / "authorizers" and path.stem in PURE_MODULES


def is_pure_import(name):
    """Whether a module of ours is authorizers' pure part, the package itself aside."""
    parts = name.split(".")
    return parts[0] == "authorizers" and (len(parts) == 1 or parts[1] in PURE_MODULES)


def test_the_pure_part_is_what_this_test_thinks_it_is():
    found = {path.stem for path in (ROOT / "authorizers").glob("*.py")} - {"__init__"}
    assert found == PURE_MODULES


@pytest.mark.parametrize("path", [path for path in modules("authorizers") if is_pure(path)], ids=relative)
def test_authorizers_pure_part_imports_only_itself_and_orjson(path):
    assert foreign(path) <= PURE
    assert all(is_pure_import(name) for name in own(path))


@pytest.mark.parametrize("path", [path for path in modules("authorizers") if not is_pure(path)], ids=relative)
def test_authorizers_shell_imports_only_authorizers(path):
    assert {top(name) for name in own(path)} <= {"authorizers"}
    assert not foreign(path) & {"locust", "hypothesis"}
    if foreign(path) & {"boto3", "botocore"}:
        assert relative(path) in AWS_MODULES
    if "gevent" in foreign(path):
        assert relative(path) in GEVENT_MODULES


ROOMS_BELOW = {
    "service": {"service"},
    "gateway": {"service", "gateway"},
    "laboratory": {"service", "laboratory"},
    "targets": {"service", "laboratory", "targets"},
    "samples": set(),
}


@pytest.mark.parametrize("path", [path for path in modules("authorizers") if not is_pure(path)], ids=relative)
def test_rooms_of_authorizers_import_only_those_below(path):
    room = path.relative_to(ROOT / "authorizers").parts[0]
    allowed = tuple(f"authorizers.{name}" for name in ROOMS_BELOW.get(room, ()))
    for name in own(path):
        assert is_pure_import(name) or name.startswith(allowed), name


@pytest.mark.parametrize("path", modules("generators"), ids=relative)
def test_generators_import_only_the_pure_part_of_authorizers(path):
    assert not foreign(path) & {"locust", "gevent", "boto3", "botocore"}
    assert all(is_pure_import(name) or top(name) == "generators" for name in own(path))


@pytest.mark.parametrize("path", modules("reports"), ids=relative)
def test_reports_import_only_the_pure_part_of_authorizers(path):
    assert foreign(path) <= REPORT_LIBRARIES
    assert all(is_pure_import(name) or top(name) == "reports" for name in own(path))


@pytest.mark.parametrize("path", [*modules("firing"), *modules("locustfiles")], ids=relative)
def test_locustfiles_import_targets_the_corpus_and_records(path):
    assert not foreign(path) & {"hypothesis", "boto3", "botocore", "rich", "plotly", "pydantic"}
    for name in own(path):
        allowed = top(name) in {"firing", "locustfiles"} or is_pure_import(name)
        allowed |= name.startswith(("authorizers.targets", "generators.corpus"))
        allowed |= name.startswith(
            ("reports.recording", "reports.run", "reports.capacity", "reports.thresholds", "reports.live")
        )
        assert allowed, f"{relative(path)} imports {name}"


def test_only_the_tab_in_the_web_page_imports_flask():
    users = {relative(path) for package in sorted(OURS) for path in modules(package) if "flask" in foreign(path)}
    assert users == {"locustfiles/_web.py"}


def test_only_the_two_adapters_import_the_libraries_of_live_metrics():
    """They come with an extra: everything else must work without them."""
    users = {
        relative(path): foreign(path) & {"opentelemetry", "prometheus_client"}
        for package in sorted(OURS)
        for path in modules(package)
    }
    assert {path: found for path, found in users.items() if found} == {
        "firing/metrics_otlp.py": {"opentelemetry"},
        "firing/metrics_prometheus.py": {"prometheus_client"},
    }


@pytest.mark.parametrize("package", sorted(OURS - {"gatecrash"}))
def test_gatecrash_is_imported_by_nobody(package):
    for path in modules(package):
        assert "gatecrash" not in {top(name) for name in own(path)}, relative(path)


def entry_locustfiles():
    return [path for path in (ROOT / "locustfiles").glob("*.py") if not path.name.startswith("_")]


def test_no_entry_locustfile_is_imported():
    names = {f"gatecrash.locustfiles.{path.stem}" for path in entry_locustfiles()}
    assert names == {f"gatecrash.locustfiles.{name}" for name in ("capacity", "fuzz", "soak", "spike", "steady")}
    for path in ROOT.rglob("*.py"):
        if not {".venv", "build"} & set(path.parts):
            assert not names & set(imports_of(path)), relative(path)


def test_reading_a_corpus_needs_no_hypothesis():
    """What fires reads the corpus: its module must not pull in what draws it, not even through a package."""
    for name in ("generators/__init__.py", "generators/corpus.py"):
        path = ROOT / name
        assert not foreign(path) & {"hypothesis"}
        assert all(is_pure_import(found) for found in own(path))


@pytest.mark.parametrize(
    "path", [path for path in ROOT.rglob("*.py") if not {".venv", "build"} & set(path.parts)], ids=relative
)
def test_locust_is_imported_before_what_it_must_patch(path):
    order = [top(name) for name in imports_of(path)]
    late = [name for name in ("boto3", "botocore", "urllib3", "hypothesis") if name in order]
    if "locust" in order:
        assert all(order.index("locust") < order.index(name) for name in late)
