"""The directions of dependency: which folder may import what, imports inside functions included."""

import pytest

from tests.architecture.house import (
    FOLDERS,
    NAME,
    PATHS,
    ROOT,
    cycle,
    foreign,
    imports_of,
    imports_of_modules,
    imports_of_rooms,
    modules,
    own,
    python_files,
    relative,
    room,
    top,
)

PURE_MODULES = {
    *("answers", "carriers", "classify", "contract", "errors", "event", "limits", "policy", "redact", "wire"),
}
AWS_MODULES = {
    f"authorizers/targets/{name}.py" for name in ("aws_clients", "iot_api", "lambda_function", "wire_operation")
}
# The wire client fires in gevent, and waits on its loop itself.
GEVENT_MODULES = {"authorizers/targets/wire/readable.py"}
REPORT_LIBRARIES = {"orjson", "msgspec", "hdrh", "plotly", "jinja2", "rich", "markupsafe"}
# Rooms in rooms: an attack's module is listed by the package above it.
NESTED = ("generators/attacks",)
# From the ground floor up; a room imports those below it, never its neighbours or those above.
FLOORS_OF_REPORTS = (
    ("recording", "statistics"),
    ("capacity", "oracles"),
    ("plan",),
    ("course",),
    ("thresholds",),
    ("run",),
    ("comparison",),
    ("trend",),
    ("words",),
    ("",),
    ("files", "html", "text"),
    ("live",),
)
ROOMS_BELOW = {
    "authorizers/gateway/runtime_clients": set(),
    "authorizers/samples": set(),
    "authorizers/service": set(),
    "authorizers/gateway": {"authorizers/service"},
    "authorizers/laboratory": {"authorizers/service"},
    "authorizers/targets/wire": set(),
    "authorizers/targets": {"authorizers/service", "authorizers/laboratory", "authorizers/targets/wire"},
}


def in_folder(folder):
    return [path for path in modules().values() if relative(path).startswith(f"{folder}/")]


def is_pure(name):
    """Whether a module of ours is authorizers' pure part, the package itself aside."""
    parts = name.split(".")
    return parts[0] == "authorizers" and (len(parts) == 1 or parts[1] in PURE_MODULES)


def against(paths, allowed):
    """What of ours the files import that isn't allowed."""
    return {f"{relative(path)} imports {name}" for path in paths for name in own(path) if not allowed(name)}


def users_of(*libraries):
    return {relative(path) for path in modules().values() if foreign(path) & set(libraries)}


def test_there_is_one_import_name():
    """Five names in site-packages would hide, or be hidden by, folders of the same names in somebody's project."""
    others = set(FOLDERS) - {NAME}
    assert not [relative(path) for path in PATHS if {top(name) for name in imports_of(path)} & others]


def test_every_folder_is_linked_into_the_package():
    linked = {path.name: path.resolve() for path in (ROOT / NAME).iterdir() if path.is_symlink()}
    assert linked == {folder: ROOT / folder for folder in FOLDERS if folder != NAME}


def test_no_module_imports_one_that_imports_it():
    assert cycle(imports_of_modules()) is None


def test_no_room_imports_one_that_imports_it():
    assert cycle(imports_of_rooms(NESTED)) is None


def test_no_room_has_more_than_twenty_modules():
    names = [room(name) for name, path in modules().items() if path.name != "__init__.py"]
    assert {place: names.count(place) for place in names if names.count(place) > 20} == {}


def test_the_pure_part_is_what_this_test_thinks_it_is():
    assert {path.stem for path in (ROOT / "authorizers").glob("*.py")} - {"__init__"} == PURE_MODULES


def test_authorizers_pure_part_imports_only_itself_and_orjson():
    pure = [path for name, path in modules().items() if is_pure(name)]
    assert against(pure, is_pure) == set()
    assert set().union(*map(foreign, pure)) <= {"orjson"}


@pytest.mark.parametrize("place", ROOMS_BELOW)
def test_rooms_of_authorizers_import_only_those_below(place):
    paths = [path for name, path in modules().items() if room(name) == place]
    assert against(paths, lambda name: is_pure(name) or room(name) in ROOMS_BELOW[place] | {place}) == set()
    assert {room(name) for name in modules() if top(name) == "authorizers"} == {"authorizers", *ROOMS_BELOW}


def test_generators_import_only_the_pure_part_of_authorizers():
    assert against(in_folder("generators"), lambda name: is_pure(name) or top(name) == "generators") == set()


def test_reports_import_only_the_pure_part_of_authorizers():
    assert against(in_folder("reports"), lambda name: is_pure(name) or top(name) == "reports") == set()
    assert set().union(*map(foreign, in_folder("reports"))) <= REPORT_LIBRARIES


def test_rooms_of_reports_lie_on_floors_with_no_arrow_up():
    floors = {f"reports/{name}".rstrip("/"): floor for floor, names in enumerate(FLOORS_OF_REPORTS) for name in names}
    arrows = {place: others for place, others in imports_of_rooms().items() if place.startswith("reports")}
    assert arrows.keys() == floors.keys()
    up = {
        (place, other)
        for place, others in arrows.items()
        for other in others
        if other.startswith("reports") and floors[other] >= floors[place]
    }
    assert up == set()


@pytest.mark.parametrize("folder", ["firing", "locustfiles"])
def test_what_fires_imports_targets_the_corpus_and_what_it_records_and_judges_a_search_by(folder):
    rooms = {f"reports/{name}" for name in ("recording", "plan", "run", "capacity", "thresholds", "live")}
    rooms |= {"firing", folder, "authorizers/targets"}
    allowed = lambda name: is_pure(name) or room(name) in rooms or name == "generators.corpus"  # noqa: E731
    assert against(in_folder(folder), allowed) == set()
    libraries = set().union(*map(foreign, in_folder(folder)))
    assert not libraries & {"hypothesis", "boto3", "botocore", "rich", "plotly", "pydantic"}


def test_only_locustfiles_imports_locust():
    assert {top(path.replace("/", ".")) for path in users_of("locust")} == {"locustfiles"}


def test_only_what_fires_imports_gevent():
    shell = {path for path in users_of("gevent") if not path.startswith(("firing/", "locustfiles/"))}
    assert shell == GEVENT_MODULES


def test_only_the_adapters_of_aws_and_what_is_asked_before_a_run_import_boto3():
    users = {path for path in users_of("boto3", "botocore") if not path.startswith("gatecrash/preflight/")}
    assert users == AWS_MODULES


def test_only_generators_and_the_commands_import_hypothesis():
    assert {path.split("/")[0] for path in users_of("hypothesis")} <= {"generators", "gatecrash"}


def test_only_the_tab_in_the_web_page_imports_flask():
    assert users_of("flask") == {"locustfiles/_web.py"}


def test_only_the_two_adapters_import_the_libraries_of_live_metrics():
    """They come with an extra: everything else must work without them."""
    assert users_of("opentelemetry") == {"firing/metrics_otlp.py"}
    assert users_of("prometheus_client") == {"firing/metrics_prometheus.py"}


@pytest.mark.parametrize("folder", sorted(set(FOLDERS) - {NAME}))
def test_the_command_line_is_imported_by_nobody(folder):
    assert against(in_folder(folder), lambda name: top(name) != NAME) == set()


def test_no_entry_locustfile_is_imported():
    entries = [path.stem for path in python_files("locustfiles") if not path.name.startswith("_")]
    assert sorted(entries) == ["capacity", "fuzz", "soak", "spike", "steady"]
    names = {f"{NAME}.locustfiles.{entry}" for entry in entries}
    assert not [relative(path) for path in PATHS if names & set(imports_of(path))]


def test_reading_a_corpus_needs_no_hypothesis():
    """What fires reads the corpus: its module must not pull in what draws it, not even through a package."""
    paths = [ROOT / "generators/__init__.py", ROOT / "generators/corpus.py"]
    assert not set().union(*map(foreign, paths)) & {"hypothesis"}
    assert against(paths, is_pure) == set()


def test_locust_is_imported_before_what_it_must_patch():
    for path in PATHS:
        order = [top(name) for name in imports_of(path)]
        late = [name for name in ("boto3", "botocore", "urllib3", "hypothesis") if name in order]
        if "locust" in order:
            assert all(order.index("locust") < order.index(name) for name in late), relative(path)
