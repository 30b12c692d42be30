"""Isolated environments: a handler's fresh processes, what they share, how they end, and that none is left behind."""

import base64
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psutil
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st

from gatecrash.authorizers.contract import AuthorizerRequest, HttpContext, MqttContext, Outcome
from gatecrash.authorizers.errors import GatecrashError, HandlerError
from gatecrash.authorizers.event import Dialect
from gatecrash.authorizers.laboratory.laboratory import Laboratory
from gatecrash.authorizers.service.front import HandlerSettings
from gatecrash.authorizers.targets.handler import HandlerTarget
from tests.authorizers.strategies import requests

FAILED = "Lambda function encountered error in execution: "
# What a handler does is told by the user name of the request.
HANDLER = """
    import ctypes, json, os, pathlib, random, signal, subprocess, sys, time, zlib

    COUNT = 0
    DOCUMENT = {"Statement": [{"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}]}

    def answer(principal="device1", allowed=True):
        return {"isAuthenticated": allowed, "principalId": principal, "policyDocuments": [DOCUMENT]}

    def count(event, context):
        global COUNT
        COUNT += 1
        return answer(f"count{COUNT}")

    def sleep(event, context):
        started = time.monotonic_ns()
        time.sleep(0.3)
        return answer(f"{started}x{time.monotonic_ns()}")

    def mixed(event, context):
        event["connectionMetadata"] = None
        digest = zlib.crc32(json.dumps(event).encode())
        kind = digest % 5
        if kind == 0:
            raise ValueError(json.dumps(event, ensure_ascii=False))
        if kind == 1:
            return event
        return answer(f"digest{digest}", kind > 2)

    def sleeper(event, context):
        child = subprocess.Popen(["sleep", "60"])
        pathlib.Path(os.environ["GATECRASH_TEST_FILE"]).write_text(str(child.pid))
        time.sleep(60)

    KINDS = {
        "allow": lambda event, context: answer(),
        "deny": lambda event, context: answer(allowed=False),
        "raise": lambda event, context: 1 / 0,
        "raise much": lambda event, context: {}["x" * 7_000_000],
        "system exit": lambda event, context: sys.exit(5),
        "exit": lambda event, context: os._exit(3),
        "exit well": lambda event, context: os._exit(0),
        "die": lambda event, context: os.kill(os.getpid(), signal.SIGKILL),
        "crash": lambda event, context: ctypes.string_at(0),
        "close": lambda event, context: os.closerange(3, 1000),
        "hang": lambda event, context: time.sleep(60),
        "garbage": lambda event, context: {"policy": 5},
        "set": lambda event, context: {1, 2},
        "huge": lambda event, context: "x" * 7_000_000,
        "large": lambda event, context: answer("x" * 1_000_000),
        "print": lambda event, context: print("hunter2" * 10_000) or os.write(2, b"hunter2") and answer(),
        "random": lambda event, context: answer(f"{random.getrandbits(64)}"),
        "remaining": lambda event, context: answer(str(context.get_remaining_time_in_millis())),
        "process": lambda event, context: answer(str(os.getpid())),
        "header": lambda event, context: answer(",".join(event["protocolData"]["http"]["headers"])),
        "verified": lambda event, context: answer(event["token"] + str(event["signatureVerified"])),
        "count": count, "sleep": sleep, "mixed": mixed, "sleeper": sleeper,
    }

    def handler(event, context):
        kind = event.get("protocolData", {}).get("mqtt", {}).get("username", DEFAULT)
        return KINDS.get(kind, mixed)(event, context)
"""
PARENT = """
    import os, sys, time
    from gatecrash.authorizers.contract import AuthorizerRequest, MqttContext
    from gatecrash.authorizers.service.front import HandlerSettings
    from gatecrash.authorizers.laboratory.laboratory import Laboratory

    laboratory = Laboratory(HandlerSettings(sys.argv[1]))
    environments = [laboratory.environment() for _ in range(3)]
    environments[0].invoke(AuthorizerRequest(mqtt_context=MqttContext("allow")))
    print(laboratory._zygote.pid, *(one.link().process for one in environments), flush=True)
    environments[1].invoke(AuthorizerRequest(mqtt_context=MqttContext("hang")), seconds=60)
"""


def asks(kind, **others):
    return AuthorizerRequest(mqtt_context=MqttContext(kind, **others))


def write_handler(folder, *, before="", default="mixed"):
    path = folder / "isolated_handler.py"
    path.write_text(f"DEFAULT = {default!r}\n{textwrap.dedent(before)}\n{textwrap.dedent(HANDLER)}")
    return str(path)


@pytest.fixture(scope="module")
def handler(tmp_path_factory):
    return write_handler(tmp_path_factory.mktemp("handler"))


@pytest.fixture(scope="module")
def laboratory(handler):
    with Laboratory(HandlerSettings(handler)) as opened:
        yield opened


@pytest.fixture
def environment(laboratory):
    with laboratory.environment() as opened:
        yield opened


def told(answer):
    """Everything of an answer but how the handler was run."""
    return replace(answer, invocation=None)


def principal(answer):
    assert answer.decision is not None, answer
    return answer.decision.principal_id


def is_alive(environment):
    """Say whether the next invocation finds the environment of the last one."""
    return environment._link is not None and not environment._link.ended


def is_gone(process):
    try:
        return psutil.Process(process).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def all_gone(processes, seconds=10):
    ends = time.monotonic() + seconds
    while not all(map(is_gone, processes)) and time.monotonic() < ends:
        time.sleep(0.01)
    return all(map(is_gone, processes))


@pytest.mark.parametrize(
    ("kind", "outcome", "error_type"),
    [
        ("allow", Outcome.ALLOW, None),
        ("deny", Outcome.DENY, None),
        ("garbage", Outcome.INVALID_RESPONSE, None),
        ("raise", Outcome.HANDLER_ERROR, "ZeroDivisionError"),
        ("raise much", Outcome.HANDLER_ERROR, "KeyError"),
        ("set", Outcome.HANDLER_ERROR, "Runtime.MarshalError"),
        ("huge", Outcome.HANDLER_ERROR, "Function.ResponseSizeTooLarge"),
    ],
)
def test_what_a_handler_does_is_an_outcome_and_its_environment_stays(environment, kind, outcome, error_type):
    answer = environment.invoke(asks(kind))
    assert (answer.outcome, answer.fault.error_type if answer.fault else None) == (outcome, error_type)
    assert is_alive(environment)
    assert environment.invoke(asks("allow")).invocation.environment == answer.invocation.environment


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("system exit", "exit status 5"),
        ("exit", "exit status 3"),
        ("exit well", "Runtime exited without providing a reason"),
        ("die", "signal: killed"),
        ("crash", "signal: segmentation fault"),
    ],
)
def test_a_process_that_ends_is_an_error_and_a_fresh_environment_follows(environment, kind, reason):
    before = environment.invoke(asks("count")).invocation.environment
    answer = environment.invoke(asks(kind))
    assert (answer.outcome, answer.fault.error_type) == (Outcome.HANDLER_ERROR, "Runtime.ExitError")
    assert answer.fault.message.endswith(f"{reason}: Runtime.ExitError")
    assert not is_alive(environment)
    after = environment.invoke(asks("count"))
    assert (principal(after), after.invocation.cold_start) == ("count1", True)
    assert before == answer.invocation.environment != after.invocation.environment
    assert is_alive(environment)


def test_a_handler_that_closes_its_environments_socket_ends_it(environment):
    assert environment.invoke(asks("close")).fault.error_type == "Runtime.ExitError"
    assert environment.invoke(asks("allow")).outcome is Outcome.ALLOW


def test_a_handler_that_hangs_is_killed(environment):
    process = environment.link().process
    answer = environment.invoke(asks("hang"), seconds=0.3)
    assert (answer.outcome, answer.fault.error_type) == (Outcome.TIMED_OUT, "Sandbox.Timedout")
    assert answer.fault.message == f"{FAILED}Error: Task timed out after 0.30 seconds: Sandbox.Timedout"
    assert answer.invocation.handler_seconds >= 0.3
    assert not is_alive(environment)
    assert is_gone(process)
    assert environment.invoke(asks("allow")).invocation.cold_start


def test_a_process_that_begins_late_has_all_its_time(tmp_path):
    late = "import os, time\nos.register_at_fork(after_in_child=lambda: time.sleep(0.6))"
    with Laboratory(HandlerSettings(write_handler(tmp_path, before=late))) as laboratory:
        with laboratory.environment() as environment:
            answers = environment.invoke_all([asks("count"), asks("count")], seconds=0.4)
        assert [principal(answer) for answer in answers] == ["count1", "count2"]
        assert answers[0].invocation.handler_seconds < 0.4
        with laboratory.environment() as environment:
            assert environment.invoke(asks("hang"), seconds=0.2).outcome is Outcome.TIMED_OUT


def test_what_a_handler_started_is_killed_with_it(tmp_path, monkeypatch):
    note = tmp_path / "child"
    monkeypatch.setenv("GATECRASH_TEST_FILE", str(note))
    with Laboratory(HandlerSettings(write_handler(tmp_path))) as laboratory, laboratory.environment() as environment:
        assert environment.invoke(asks("sleeper"), seconds=1).outcome is Outcome.TIMED_OUT
        assert all_gone([int(note.read_text())])


def test_a_failure_has_the_services_message(environment):
    fault = environment.invoke(asks("raise")).fault
    assert (fault.code, fault.message) == (
        "InvalidResponseException",
        f"{FAILED}division by zero: ZeroDivisionError",
    )


def test_globals_are_as_imported_in_each_environment_and_kept_within_one(laboratory):
    with laboratory.environment() as first, laboratory.environment() as second:
        assert [principal(first.invoke(asks("count"))) for _ in range(3)] == ["count1", "count2", "count3"]
        assert [principal(answer) for answer in second.invoke_all([asks("count")] * 2)] == ["count1", "count2"]
        assert laboratory.forks
        assert laboratory.warnings == ()


def test_only_the_first_invocation_is_cold_and_every_environment_has_a_name(laboratory):
    with laboratory.environment() as first, laboratory.environment() as second:
        answers = [*first.invoke_all([asks("allow")] * 3), second.invoke(asks("allow"))]
    assert [answer.invocation.cold_start for answer in answers] == [True, False, False, True]
    names = [answer.invocation.environment for answer in answers]
    assert len(set(names)) == 2
    assert all(name.startswith("lab-") for name in names)
    assert 0 < answers[1].invocation.handler_seconds < 1


def test_environments_draw_different_random_numbers(laboratory):
    with laboratory.environment() as first, laboratory.environment() as second:
        assert principal(first.invoke(asks("random"))) != principal(second.invoke(asks("random")))


def test_a_handler_may_ask_for_its_remaining_time(environment):
    assert 1000 < int(principal(environment.invoke(asks("remaining"), seconds=2))) <= 2000


def test_invocations_in_several_environments_overlap(laboratory):
    environments = [laboratory.environment() for _ in range(4)]
    answers = laboratory.concurrently([asks("sleep")] * 4, environments)
    spans = [tuple(map(int, principal(answer).split("x"))) for answer in answers]
    assert max(start for start, _ in spans) < min(end for _, end in spans)
    assert len({answer.invocation.environment for answer in answers}) == 4
    for environment in environments:
        environment.close()


def test_concurrent_answers_stand_at_their_requests_places(laboratory):
    environments = [laboratory.environment() for _ in range(5)]
    kinds = [asks("sleep"), asks("exit"), AuthorizerRequest(), asks("hang"), asks("deny")]
    answers = laboratory.concurrently(kinds, environments, seconds=1)
    assert [answer.outcome for answer in answers] == [
        Outcome.ALLOW,
        Outcome.HANDLER_ERROR,
        Outcome.REJECTED,
        Outcome.TIMED_OUT,
        Outcome.DENY,
    ]
    assert list(map(is_alive, environments)) == [True, False, True, False, True]
    again = laboratory.concurrently([asks("count")] * 5, environments)
    assert [principal(answer) for answer in again] == ["count1"] * 5
    with pytest.raises(ValueError, match="one request at a time"):
        laboratory.concurrently([asks("allow")] * 2, [environments[0]] * 2)
    for environment in environments:
        environment.close()


def test_many_threads_may_use_environments_of_their_own(laboratory):
    def work(_):
        with laboratory.environment() as environment:
            return [principal(environment.invoke(asks("count"))) for _ in range(50)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(16)))
    assert found == [[f"count{number + 1}" for number in range(50)]] * 16


def test_requests_behind_one_that_ends_the_process_go_to_the_next(environment):
    kinds = ["count", "count", "exit", "count", "hang", "count", "raise", "count"]
    answers = environment.invoke_all([asks(kind) for kind in kinds] + [AuthorizerRequest(), asks("exit")], seconds=0.5)
    counts = [principal(answer) for answer in answers if answer.decision is not None]
    assert counts == ["count1", "count2", "count1", "count1", "count2"]
    assert [answer.outcome for answer in answers if answer.decision is None] == [
        Outcome.HANDLER_ERROR,
        Outcome.TIMED_OUT,
        Outcome.HANDLER_ERROR,
        Outcome.REJECTED,
        Outcome.HANDLER_ERROR,
    ]
    names = [answer.invocation.environment for answer in answers if answer.invocation is not None]
    assert [names.count(name) for name in dict.fromkeys(names)] == [3, 2, 4]


def test_more_than_both_sides_buffers_hold_is_no_deadlock(environment):
    answers = environment.invoke_all([asks("large", password=b"x" * 60_000)] * 60)
    assert {answer.outcome for answer in answers} == {Outcome.INVALID_RESPONSE}
    assert len(answers) == 60


def test_no_requests_are_no_answers(environment, laboratory):
    assert environment.invoke_all([]) == []
    assert laboratory.concurrently([], []) == []


def test_an_interrupted_invocation_leaves_no_answer_behind(environment):
    def interrupt(*_):
        raise InterruptedError

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(InterruptedError):
            environment.invoke(asks("sleep"))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert principal(environment.invoke(asks("count"))) == "count1"


def acceptable(request):
    """Nearly every random request is refused; this takes the reasons away."""
    http = request.http_context
    if http is not None:
        http = replace(http, query_string=f"?{http.query_string or ''}")
    return replace(request, token=None, token_signature=None, http_context=http)


@settings(max_examples=60)
@given(st.lists(requests() | requests().map(acceptable), max_size=8), st.sampled_from(Dialect))
def test_answers_are_those_of_the_handler_target(handler, laboratory, kinds, dialect):
    target = HandlerTarget(HandlerSettings(handler, dialect=dialect))
    expected = [told(target.invoke(request)) for request in kinds]
    with laboratory.environment() as environment:
        one_by_one = [told(environment.invoke(request, dialect=dialect)) for request in kinds]
        at_once = [told(answer) for answer in environment.invoke_all(kinds, dialect=dialect)]
    assert one_by_one == at_once == expected


def test_the_dialect_is_the_settings_unless_told(environment, tmp_path):
    request = AuthorizerRequest(http_context=HttpContext({"Key": "v"}))
    path = write_handler(tmp_path, default="header")
    with Laboratory(HandlerSettings(path, dialect="device")) as laboratory, laboratory.environment() as environment:
        assert principal(environment.invoke(request)) == "key"
        assert principal(environment.invoke(request, dialect=Dialect.TEST_INVOKE)) == "Key"


def test_signed_tokens_are_verified_before_the_handler(tmp_path, signing_key, signing_key_public_pem):
    def sign(token):
        return base64.b64encode(signing_key.sign(token.encode(), PKCS1v15(), SHA256())).decode()

    path = write_handler(tmp_path, default="verified")
    settings = HandlerSettings(path, token_key_name="Key", signing_keys={"first": signing_key_public_pem})
    with Laboratory(settings) as laboratory, laboratory.environment() as environment:
        right = environment.invoke(AuthorizerRequest("token", sign("token")))
        wrong = environment.invoke(AuthorizerRequest("token", sign("another")))
        missing = environment.invoke(asks("allow"))
    assert principal(right) == "tokenTrue"
    assert (wrong.outcome, wrong.fault.message) == (
        Outcome.REJECTED,
        "Token signature mismatch for authorizer gatecrash",
    )
    assert (missing.outcome, missing.invocation) == (Outcome.REJECTED, None)


def test_what_handlers_print_is_thrown_away(tmp_path, capfd):
    path = write_handler(tmp_path, before="print('imported')")
    with Laboratory(HandlerSettings(path)) as laboratory, laboratory.environment() as environment:
        assert environment.invoke(asks("print")).outcome is Outcome.ALLOW
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("before", "sentence"),
    [
        ("import no_such_module_anywhere", "raised ModuleNotFoundError"),
        ("raise SystemExit(1)", "raised SystemExit"),
        ("import os; os._exit(3)", "ended the process"),
    ],
)
def test_a_handler_that_cannot_be_imported_is_told_in_a_sentence(tmp_path, before, sentence):
    with pytest.raises(HandlerError, match=sentence):
        Laboratory(HandlerSettings(write_handler(tmp_path, before=before)))


THREADED = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()"


@pytest.mark.parametrize(
    ("before", "reason"), [(THREADED, "starts threads"), ("FILE = open(__file__)", "keeps files or connections open")]
)
def test_a_handler_that_cannot_be_forked_is_imported_by_every_environment(tmp_path, before, reason):
    with Laboratory(HandlerSettings(write_handler(tmp_path, before=before))) as laboratory:
        assert not laboratory.forks
        assert reason in laboratory.warnings[0]
        with laboratory.environment() as first, laboratory.environment() as second:
            assert [principal(answer) for answer in first.invoke_all([asks("count")] * 2)] == ["count1", "count2"]
            assert first.invoke(asks("hang"), seconds=0.3).outcome is Outcome.TIMED_OUT
            assert second.invoke(asks("system exit")).fault.message.endswith("exit status 5: Runtime.ExitError")
            assert [principal(answer) for answer in first.invoke_all([asks("count")] * 2)] == ["count1", "count2"]
            processes = [first.link().process, int(principal(first.invoke(asks("process"))))]
            assert processes[0] == processes[1]
    assert is_gone(processes[0])


def test_an_import_that_fails_later_is_told(tmp_path):
    flag = tmp_path / "flag"
    before = f"{THREADED}\nimport pathlib\nassert not pathlib.Path({str(flag)!r}).exists()"
    with Laboratory(HandlerSettings(write_handler(tmp_path, before=before))) as laboratory:
        environment = laboratory.environment()
        flag.touch()
        with pytest.raises(HandlerError, match="raised AssertionError"):
            laboratory.environment()
        answers = environment.invoke_all([asks("exit"), asks("allow")])
        assert [answer.fault.error_type for answer in answers] == ["Runtime.ExitError", "Runtime.ImportModuleError"]
        flag.unlink()
        assert environment.invoke(asks("allow")).outcome is Outcome.ALLOW


def test_nothing_is_left_after_closing_and_nothing_runs_again(handler):
    laboratory = Laboratory(HandlerSettings(handler))
    first, second = laboratory.environment(), laboratory.environment()
    processes = [first.link().process, second.link().process, laboratory._zygote.pid]
    assert not any(map(is_gone, processes))
    first.close()
    first.close()
    assert [is_gone(process) for process in processes] == [True, False, False]
    with pytest.raises(GatecrashError, match="environment is closed"):
        first.invoke(asks("allow"))
    laboratory.close()
    laboratory.close()
    assert all(map(is_gone, processes))
    assert not is_alive(second)
    for use in (laboratory.environment, lambda: second.invoke(asks("allow")), second.link):
        with pytest.raises(GatecrashError, match="laboratory is closed"):
            use()
    second.close()


def test_nothing_is_left_of_a_parent_that_was_killed(handler):
    command = [sys.executable, "-c", textwrap.dedent(PARENT), handler]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        processes = [int(word) for word in parent.stdout.readline().split()]
        assert len(processes) == 4
        assert not any(map(is_gone, processes))
        parent.kill()
    assert all_gone(processes)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells processes of their parent's death")
def test_nothing_is_left_of_a_zygote_that_was_killed(handler):
    with Laboratory(HandlerSettings(handler)) as laboratory, laboratory.environment() as environment:
        processes = [environment.link().process, laboratory._zygote.pid]
        os.kill(laboratory._zygote.pid, signal.SIGKILL)
        assert all_gone(processes)
        with pytest.raises(GatecrashError, match="process died"):
            environment.invoke(asks("allow"))


def test_an_interrupt_or_a_polite_end_from_elsewhere_does_not_end_a_laboratory(handler):
    with Laboratory(HandlerSettings(handler)) as laboratory, laboratory.environment() as environment:
        for number in (signal.SIGINT, signal.SIGTERM):
            os.killpg(laboratory._zygote.pid, number)
        assert principal(environment.invoke(asks("count"))) == "count1"
        with laboratory.environment() as another:
            assert principal(another.invoke(asks("count"))) == "count1"


def test_a_laboratory_outlives_the_thread_that_opened_it(handler):
    opened = []
    thread = threading.Thread(target=lambda: opened.append(Laboratory(HandlerSettings(handler))))
    thread.start()
    thread.join()
    with opened[0] as laboratory, laboratory.environment() as environment:
        assert environment.invoke(asks("allow")).outcome is Outcome.ALLOW


def test_a_handler_finds_what_lambda_sets_and_its_neighbours(tmp_path):
    (tmp_path / "beside_it.py").write_text("ALLOWED = True\n")
    path = tmp_path / "authorizer.py"
    path.write_text(
        "import os\n"
        "NAME = os.environ['AWS_LAMBDA_FUNCTION_NAME']\n"
        "def handler(event, context):\n"
        "    import beside_it\n"
        "    raise RuntimeError(f\"{NAME} {os.environ['AWS_REGION']} {beside_it.ALLOWED}\")\n"
    )
    with Laboratory(HandlerSettings(f"{path}:handler")) as laboratory, laboratory.environment() as environment:
        answer = environment.invoke(AuthorizerRequest(mqtt_context=MqttContext(client_id="x")))
    assert answer.fault is not None
    assert "gatecrash us-east-1 True" in answer.fault.message
