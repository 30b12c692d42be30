import subprocess

import pytest

from reports import as_html
from tests.reports.fuzz_samples import fuzz_summary
from tests.reports.samples import busy_summary, empty_summary

CHROMIUM = "chromium"
FLAGS = """
--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync --enable-logging=stderr --virtual-time-budget=5000 --dump-dom
"""


@pytest.mark.browser
@pytest.mark.parametrize(("make", "plots"), [(busy_summary, 3), (empty_summary, 0), (fuzz_summary, 3)])
def test_the_page_draws_its_plots_and_its_policy_is_kept(tmp_path, make, plots):
    page = tmp_path / "report.html"
    page.write_bytes(as_html.render(make(), "runs/one"))
    command = [CHROMIUM, *FLAGS.split(), f"--user-data-dir={tmp_path / 'profile'}", page.as_uri()]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert result.stdout.count('class="plot js-plotly-plot"') == plots
    assert ('<g class="barlayer' in result.stdout) == (plots > 0)
    assert "alert(1)</script> [bold]" not in result.stdout
    assert "CONSOLE" not in result.stderr


@pytest.mark.browser
def test_a_script_that_is_not_the_pages_own_does_not_run(tmp_path):
    page = tmp_path / "report.html"
    intruder = b"<script>document.title = 'taken' + ' over'</script></body>"
    page.write_bytes(as_html.render(empty_summary(), "runs/one").replace(b"</body>", intruder))
    command = [CHROMIUM, *FLAGS.split(), f"--user-data-dir={tmp_path / 'profile'}", page.as_uri()]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert "taken over" not in result.stdout
    assert "CONSOLE" in result.stderr
