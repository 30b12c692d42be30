"""The tab *Authorizer* in Locust's web page: its routes, and what makes Locust's page show them.

Locust's own ways to extend its page are used: ``extended_tabs`` names the tab, and routes are added to its Flask app.
Locust would show nothing but a table under a tab, so a script of ours puts the page of gatecrash there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from importlib.resources import files
from typing import Any, Final

from locust.env import Environment
from locust.web import WebUI

from flask import Blueprint, Response, request

from gatecrash.authorizers.errors import GatecrashError
from gatecrash.firing.watcher import Watcher

TITLE: Final = "Authorizer"
KEY: Final = "authorizer"
_SCRIPT: Final = '<script src="./authorizer/tab.js" defer></script>'
_PLAIN: Final = "text/plain; charset=utf-8"
_HTML: Final = "text/html; charset=utf-8"
_logger: Final = logging.getLogger("gatecrash")


def show_tab(environment: Environment, watcher: Watcher) -> None:
    """Add the tab to the web page of an environment that has one."""
    page = environment.web_ui
    if page is None or page.app is None:
        return
    options = environment.parsed_options
    prefix = (getattr(options, "web_base_path", None) or "").rstrip("/")
    page.app.register_blueprint(_blueprint(page, watcher), url_prefix=f"{prefix}/{KEY}")
    page.template_args["extended_tabs"] = [*page.template_args.get("extended_tabs", ()), {"title": TITLE, "key": KEY}]
    page.app.after_request(_with_script)


def _with_script(response: Response) -> Response:
    """Put the script that fills the tab into Locust's own page."""
    if request.endpoint == "locust.index" and response.status_code == 200:
        response.set_data(response.get_data(as_text=True).replace("</body>", f"{_SCRIPT}</body>"))
    return response


def _blueprint(page: WebUI, watcher: Watcher) -> Blueprint:
    tab = Blueprint(KEY, __name__)
    script = files("gatecrash.locustfiles").joinpath("_tab.js").read_bytes()

    def route(path: str) -> Callable[[Callable[..., Response]], None]:
        def add(answer: Callable[..., Response]) -> None:
            tab.add_url_rule(path, view_func=page.auth_required_if_enabled(_in_a_sentence(answer)))

        return add

    @route("/")
    def whole_page() -> Response:
        return Response(watcher.page(), content_type=_HTML)

    @route("/live")
    def live() -> Response:
        return Response(watcher.content(), content_type=_HTML)

    @route("/tab.js")
    def tab_script() -> Response:
        return Response(script, content_type="text/javascript; charset=utf-8")

    @route("/reports/<name>")
    def report(name: str) -> Response:
        path = watcher.report_of(name)
        if path is None or not path.is_file():
            return _sentence("There is no such report: its run folder may have been removed.", 404)
        return Response(path.read_bytes(), content_type=_HTML)

    @tab.after_request
    def keep_apart(response: Response) -> Response:
        # Locust lets pages of all origins read what it answers; nobody else's page may read findings, or frame them.
        response.headers["Access-Control-Allow-Origin"] = request.host_url.rstrip("/")
        response.headers["Content-Security-Policy"] = "frame-ancestors 'self'"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        return response

    return tab


def _in_a_sentence(answer: Callable[..., Response]) -> Callable[..., Response]:
    """Have every error of a route end as one sentence: the browser gets no blank page and no traceback."""

    @wraps(answer)
    def guarded(**arguments: Any) -> Response:
        try:
            return answer(**arguments)
        except GatecrashError as error:
            return _sentence(f"The figures can't be shown: {error}. The test goes on all the same.", 503)
        except Exception:
            _logger.exception("The tab %s could not answer %s", TITLE, request.path)
            return _sentence("The figures can't be shown; Locust's log says why. The test goes on all the same.", 500)

    return guarded


def _sentence(sentence: str, status: int) -> Response:
    return Response(sentence, status=status, content_type=_PLAIN)
