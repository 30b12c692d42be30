"""The tab Authorizer of Locust's web page, in real Locust processes: read while tests go on, and after their ends."""

import contextlib
import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from gatecrash.running.locust_process import locustfile
from tests.end_to_end.command import DEVICES, HANDLERS, PASSWORDS, environment, gatecrash_in_process, wait_until
from tests.end_to_end.distributed import free_port
from tests.reports.browsing import PHONE, browsing, violations_of

LOCUSTFILE = locustfile("steady")
# Everybody gets in who knows a user name, and a quarter of what is offered is throttled.
OPEN = ("--handler", HANDLERS / "opens.py", *PASSWORDS, "--cases", 60, "--set", "authorizer.calls_per_second=30")
SECRETS = [json.loads(line)["password"] for line in DEVICES.read_text().splitlines()]
SECONDS = 4
# A word of a verdict, and the beginning of its first sentence.
VERDICTS = "(PASS|FAIL|INVALID) (The|Nothing|This|What)"
BRIEF = b"user_count=20&spawn_rate=20&duration=1&warm_up=1&rate=40&model=open"
LONG = b"user_count=20&spawn_rate=20&duration=600&warm_up=1&rate=40&model=open"
BODY = f"user_count=20&spawn_rate=20&duration={SECONDS - 1}&warm_up=1&rate=40&model=open".encode()


class Page:
    """Locust with its web page; every answer of the tab is kept."""

    def __init__(self, folder, *options):
        plan = folder / "plan.json"
        if not plan.exists():
            made = gatecrash_in_process(folder, "plan", *OPEN, "--output", plan)
            assert made.returncode == 0, made.stderr
        self.folder, self.port, self.seen = folder, free_port(), []
        command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--web-port", str(self.port)]
        self.log = (folder / "locust.log").open("w+")
        self.process = subprocess.Popen(
            [*command, "--plan", str(plan), *map(str, options)],
            cwd=folder,
            env=environment(folder),
            stdout=subprocess.DEVNULL,
            stderr=self.log,
        )
        wait_until(lambda: self.get("/worker-count"), 30)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def get(self, path):
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=30) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, ConnectionError):
            return ""

    def post(self, path, body=b""):
        urllib.request.urlopen(f"{self.url}{path}", body, timeout=30).close()

    def start(self, body=BODY):
        self.post("/swarm", body)

    def live(self):
        """Return how the test stands and the tab's text; no answer may hold a secret."""
        html = self.get("/authorizer/live")
        standing = re.search(r'data-standing="(\w+)"', html)
        assert standing, html
        assert not [secret for secret in SECRETS if secret in html]
        self.seen.append((standing[1], re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))))
        return self.seen[-1]

    def until(self, standing, seconds=40):
        """Return the tab's text as soon as a test stands so; says which standings there were on the way."""

        def stands():
            now, text = self.live()
            time.sleep(0.1)
            return text if now == standing else None

        return wait_until(stands, seconds)

    def runs(self):
        return sorted((self.folder / "runs").iterdir())


@contextlib.contextmanager
def locust(folder, *options):
    page = Page(folder, *options)
    try:
        yield page
    finally:
        page.process.terminate()
        page.process.wait(30)
        page.log.close()


def word_of(statistics):
    """Return the verdict's word; where the machine is too busy for the rate a wrong decision comes second."""
    word = statistics["verdict"]["word"]
    assert word in {"FAIL", "INVALID"}, statistics["verdict"]
    return word


def before_the_end(page):
    """Return the texts of all answers that came while there was nothing to judge finally."""
    return [text for standing, text in page.seen if standing != "ended"]


def counted(text):
    """Return the numbers of wrong decisions and of all decisions that the tab's text tells."""
    wrong, decisions = re.search(r"wrong decisions ([\d,]+) of ([\d,]+) decisions", text).groups()
    return int(wrong.replace(",", "")), int(decisions.replace(",", ""))


def look_from_start_to_end(page, browser):
    """Start a test and look at the tab in Locust's own page; returns its text at the end, and the report's title."""
    # With its own content security policy, unlike the page that axe looks at.
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    shown, troubles, asked = context.new_page(), [], []
    shown.on("console", lambda message: troubles.append(message.text))
    shown.on("pageerror", lambda error: troubles.append(str(error)))
    shown.on("request", lambda request: asked.append(request.url))
    page.start()
    wait_until(lambda: json.loads(page.get("/stats/requests"))["state"] == "running", 20)
    shown.goto(page.url)
    shown.get_by_role("tab", name="Authorizer").click()
    content = shown.frame_locator("iframe[title=Authorizer]")
    content.locator("#live[data-standing=running] #outcomes-table").wait_for(timeout=15000)
    assert not re.search("PASS|FAIL|gatecrash replay", content.locator("#content").inner_text())
    content.locator("#live[data-standing=ended]").wait_for(timeout=30000)
    words = content.locator("#content").inner_text()
    # The frame is as high as its content, and ends when another tab is looked at.
    box = shown.locator("iframe[title=Authorizer]").bounding_box()
    height = content.locator("body").evaluate("body => body.getBoundingClientRect().height")
    assert abs(box["height"] - height) < 8
    with context.expect_page() as opened:
        content.get_by_role("link", name="Open the report").click()
    title = opened.value.title()
    opened.value.close()
    shown.get_by_role("tab", name="Logs").click()
    assert shown.locator("iframe").count() == 0
    assert not troubles
    assert {url.split("/")[2] for url in asked if url.startswith("http")} == {f"127.0.0.1:{page.port}"}
    context.close()
    return words, title


def look_on_a_phone_in_the_dark(page, browser):
    width, height = PHONE
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme="dark", bypass_csp=True)
    shown = context.new_page()
    shown.goto(f"{page.url}/authorizer/")
    assert violations_of(shown) == []
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    shown.locator("#seconds summary").focus()
    shown.keyboard.press("Enter")
    assert shown.locator("#seconds").get_attribute("open") is not None
    context.close()


@pytest.mark.browser
def test_tests_are_shown_live_and_each_has_its_report_however_it_ends(tmp_path):
    with locust(tmp_path) as page:
        assert page.live()[0] == "none"
        with browsing() as browser:
            words, title = look_from_start_to_end(page, browser)
            look_on_a_phone_in_the_dark(page, browser)
        (first,) = page.runs()
        statistics = json.loads((first / "stats.json").read_text())
        word = word_of(statistics)
        assert words.startswith(word)
        assert title.startswith(f"{word}: ")
        assert len(statistics["findings"]) == len(list((first / "findings").iterdir())) > 0
        for number in range(1, len(statistics["findings"]) + 1):
            assert f"gatecrash replay {first} --finding {number}\n" in words
        text = page.until("ended")
        wrong, decisions = counted(text)
        assert wrong > 0
        assert decisions == sum(
            count
            for row in statistics["families"]
            for name, count in row["outcomes"].items()
            if name in {"allow", "deny"}
        )
        throttled = sum(row["outcomes"].get("throttled", 0) for row in statistics["seconds"])
        assert f"throttled {throttled} exchanges" in text

        page.start(LONG)
        page.until("running")
        time.sleep(1.5)
        page.post("/stop")
        stopped = page.until("ended")
        assert "STOPPED" in stopped
        assert "the run was stopped early by Locust&#39;s web page after" in stopped
        assert f"Earlier tests {first.name} {word}" in stopped
        second = page.runs()[1]
        recorded = (second / "recording.json").read_bytes()

        page.start(LONG.replace(b"rate=40", b"rate=fast"))
        assert "--rate is &#39;fast&#39;; it must be a number." in page.until("refused")
        assert len(page.runs()) == 2

        page.start(LONG)
        page.until("running")
        time.sleep(1)
        assert (second / "recording.json").read_bytes() == recorded
    # Locust was ended while a test went on: that has its report too.
    assert [(run / "report.html").stat().st_size > 1_000_000 for run in page.runs()] == [True, True, True]
    assert json.loads((page.runs()[2] / "stats.json").read_text())["state"]["stopped_by"] == "the end of Locust"
    assert not any(re.search(VERDICTS, text) or "gatecrash replay" in text for text in before_the_end(page))
    assert "Traceback" not in (tmp_path / "locust.log").read_text()


def test_with_workers_the_verdict_waits_for_the_last_results_of_each(tmp_path):
    port = free_port()
    with locust(tmp_path, "--processes", 2, "--master-bind-port", port, "--master-port", port) as page:
        wait_until(lambda: json.loads(page.get("/worker-count"))["worker_count"] == 2, 30)
        for number in (1, 2):
            page.start(BRIEF)
            page.until("running")
            text = page.until("ended")
            run = page.runs()[number - 1]
            statistics = json.loads((run / "stats.json").read_text())
            assert statistics["state"]["workers_lost"] == 0
            assert sum(row["planned"] for row in statistics["seconds"]) == 80
            assert sum(sum(row["outcomes"].values()) + row["dropped"] for row in statistics["seconds"]) == 80
            assert f"offered {80} arrivals" in text
            assert text.startswith(f" {word_of(statistics)}")
    assert not any(re.search(VERDICTS, text) or "gatecrash replay" in text for text in before_the_end(page))
