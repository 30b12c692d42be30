"""``gatecrash export``: a finding as a file of its own."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gatecrash.authorizers.errors import UsageError
from gatecrash.replaying.export import Format
from gatecrash.replaying.export import export as export_finding
from gatecrash.replaying.replay import stored_finding
from gatecrash.reports.words.spelling import visible


@click.command(short_help="Write a finding as a test, a script or an event.")
@click.argument("run_folder", type=click.Path(path_type=Path))
@click.option("--finding", "number", type=click.IntRange(min=1), default=1, show_default=True, help="its number")
@click.option("--as", "kind", type=click.Choice([str(kind) for kind in Format]), required=True, help="what to write")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="file to write (default: the screen)",
)
@click.option("--force", is_flag=True, help="overwrite a file that is there")
@click.option("--with-secrets", is_flag=True, help="write credentials in clear text: cli and event need it")
def export(run_folder: Path, *, number: int, kind: str, output: Path | None, force: bool, with_secrets: bool) -> int:
    """Write a finding in RUN_FOLDER as a file that shows it without gatecrash's command line.

    \b
    pytest  a test that fails as long as the finding shows
    boto3   a script that sends its requests with boto3
    cli     a shell script that sends them with the AWS CLI (needs --with-secrets)
    event   the Lambda event, a list of them where one must come before (needs --with-secrets)
    """
    settings, finding = stored_finding(run_folder, number)
    if output is not None and output.exists() and not force:
        raise UsageError(f"{output} is there already: name another with --output, or overwrite it with --force")
    exported = export_finding(
        settings,
        finding,
        Format(kind),
        run=run_folder.resolve().name,
        with_secrets=with_secrets,
        folder=output.parent if output is not None else None,
    )
    if output is None:
        print(exported.text, end="")
        return 0
    try:
        _write(output, exported.text, mode=0o600 if exported.secret else 0o666)
    except OSError as error:
        raise UsageError(f"--output: can't write {output}: {error.strerror}") from None
    print(visible(f"Wrote {output}: {finding.sentence}"))
    if exported.secret:
        print(f"It holds credentials, and only you can read it. {exported.until}")
    return 0


def _write(path: Path, text: str, mode: int) -> None:
    """Write a file anew: one that is there keeps neither its mode nor what is open of it."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
