"""The tab in Locust's web page: its routes, and how a test stands. The real process judges, or one that fails."""

import logging
import sys
from datetime import UTC, datetime

import gevent
from locust.argument_parser import parse_options
from locust.env import Environment

import pytest

from gatecrash.firing.judging_process import JudgingError, JudgingProcess
from gatecrash.firing.watcher import Watcher
from gatecrash.locustfiles._web import show_tab
from gatecrash.reports.live.standing import WebTestState
from gatecrash.reports.run.folder import RunFolder, RunState
from tests.reports.samples import INFO, good_recording

# Programs that stand in for the one that judges.
NONSENSE = "import sys\nfor line in sys.stdin: print('{}', flush=True)"
ENDS = "import sys; sys.stdin.readline(); sys.exit(3)"
SLEEPS = "import time; time.sleep(60)"


def failing(program):
    return Watcher(JudgingProcess([sys.executable, "-c", program]))


@pytest.fixture
def opened(monkeypatch):
    """Give a function that returns a client of a web page with the tab of a watcher; what was started is ended."""
    # Locust reads its own command line when it renders its page.
    monkeypatch.setattr(sys, "argv", ["locust"])
    watchers = []

    def client(watcher, base="", tabs=()):
        watchers.append(watcher)
        environment = Environment(parsed_options=parse_options(["--web-base-path", base]))
        environment.create_local_runner()
        page = environment.create_web_ui(host="127.0.0.1", port=0, delayed_start=True, web_base_path=base)
        page.template_args["extended_tabs"] = list(tabs)
        show_tab(environment, watcher)
        return page.app.test_client()

    yield client
    for watcher in watchers:
        watcher.close()


def written(folder, name="run", complete=True):
    """Write a run folder, as a test leaves it."""
    made = RunFolder.create(folder, name, datetime.now(UTC))
    made.write_info(INFO)
    made.checkpoint(good_recording(), RunState(elapsed=35.0, complete=complete))
    return made.path


def test_locusts_page_has_the_tab_and_the_script_that_fills_it(opened):
    client = opened(failing(NONSENSE), tabs=[{"title": "Mine", "key": "mine"}])
    html = client.get("/").text
    assert '{"key": "mine", "title": "Mine"}, {"key": "authorizer", "title": "Authorizer"}' in html
    assert html.count("./authorizer/tab.js") == 1
    script = client.get("/authorizer/tab.js")
    assert script.status_code == 200
    assert script.mimetype == "text/javascript"
    assert "authorizer/tab.js" not in client.get("/stats/requests").text


def test_it_follows_locusts_base_path(opened):
    client = opened(failing(NONSENSE), base="/load")
    assert client.get("/load/authorizer/tab.js").status_code == 200
    assert client.get("/authorizer/tab.js").status_code == 404


def test_without_a_web_page_there_is_nothing_to_add():
    environment = Environment()
    show_tab(environment, failing(NONSENSE))
    assert environment.web_ui is None


def test_no_other_page_may_read_or_frame_it_and_nothing_is_kept(opened):
    answer = opened(failing(NONSENSE)).get("/authorizer/tab.js", headers={"Origin": "http://elsewhere.example"})
    assert answer.headers.getlist("Access-Control-Allow-Origin") == ["http://localhost"]
    assert answer.headers["Content-Security-Policy"] == "frame-ancestors 'self'"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/authorizer/", "/authorizer/live"])
def test_an_unforeseen_error_is_one_sentence_and_stands_in_the_log(opened, caplog, path):
    with caplog.at_level(logging.ERROR, "gatecrash"):
        answer = opened(failing(NONSENSE)).get(path)
    assert answer.status_code == 500
    assert answer.mimetype == "text/plain"
    assert answer.text == "The figures can't be shown; Locust's log says why. The test goes on all the same."
    assert "KeyError" in caplog.text


def test_a_judging_process_that_ends_is_told_in_one_sentence_each_time(opened):
    client = opened(failing(ENDS))
    for _ in range(2):
        answer = client.get("/authorizer/live")
        assert answer.status_code == 503
        assert "the process that judges ended with exit code 3. The test goes on" in answer.text


def test_a_judging_process_that_takes_too_long_is_ended():
    process = JudgingProcess([sys.executable, "-c", SLEEPS])
    with pytest.raises(JudgingError, match=r"took more than 0\.2 s"):
        process.ask({}, 0.2)
    process.close()


def test_a_run_folder_that_is_gone_is_told_in_one_sentence(opened, tmp_path):
    watcher = Watcher()
    client = opened(watcher)
    watcher.starting()
    watcher.started(tmp_path / "gone")
    answer = client.get("/authorizer/live")
    assert answer.status_code == 503
    assert f"{tmp_path}/gone is not a run folder" in answer.text
    assert "Traceback" not in answer.text


def test_from_start_to_verdict_each_test_has_its_report(opened, tmp_path):
    watcher = Watcher()
    client = opened(watcher)

    def live():
        answer = client.get("/authorizer/live")
        assert answer.status_code == 200
        return answer.text

    assert 'data-standing="none"' in client.get("/authorizer/").text
    folders = []
    for number in (1, 2):
        watcher.starting()
        assert 'data-standing="starting"' in live()
        folders.append(written(tmp_path, f"run{number}"))
        watcher.started(folders[-1])
        assert 'data-standing="running"' in live()
        assert client.get(f"/authorizer/reports/{folders[-1].name}").status_code == 404
        watcher.ending()
        under_way = live()
        assert 'data-standing="ending"' in under_way
        assert "PASS" not in under_way.split("Earlier tests")[0]
        watcher.ended()
        assert watcher.standing is WebTestState.JUDGING
        while watcher.standing is WebTestState.JUDGING:
            gevent.sleep(0.02)
        assert '<span class="word">PASS</span>' in live()
        report = client.get(f"/authorizer/reports/{folders[-1].name}")
        assert report.data == (folders[-1] / "report.html").read_bytes()
    assert f'href="reports/{folders[0].name}"' in live()
    for name in ("..", "%2e%2e", "run.json", folders[0].parent.name):
        assert client.get(f"/authorizer/reports/{name}").status_code in {308, 404}, name


def test_a_report_that_cant_be_written_is_said_and_the_next_test_goes_on(opened, tmp_path):
    watcher = Watcher()
    client = opened(watcher)
    watcher.starting()
    folder = written(tmp_path)
    (folder / "recording.json").write_text("{}")
    watcher.started(folder)
    watcher.ended()
    while watcher.standing is WebTestState.JUDGING:
        gevent.sleep(0.02)
    shown = client.get("/authorizer/live").text
    assert 'data-standing="unreported"' in shown
    assert "is damaged" in shown
    assert f"gatecrash report {folder}" in shown
    watcher.starting()
    assert watcher.standing is WebTestState.STARTING


def test_a_test_that_could_not_start_says_why_and_one_that_was_called_off_is_forgotten(opened):
    watcher = Watcher()
    client = opened(watcher)
    watcher.starting()
    watcher.refused("--rate is 'fast'; it must be a number")
    watcher.called_off()
    assert "--rate is &#39;fast&#39;; it must be a number." in client.get("/authorizer/live").text
    watcher.starting()
    watcher.called_off()
    assert watcher.standing is WebTestState.REFUSED
