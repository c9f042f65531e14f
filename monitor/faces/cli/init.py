"""`rasid init`: a folder of one's own to run Rasid in."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from monitor.errors import RasidError
from monitor.faces.cli.common import told

_PACKAGE = Path(__file__).parents[2]


def shipped_config() -> Path:
    """The default configuration: in the installed package, or in the checkout beside it."""
    for place in (_PACKAGE / "_shipped" / "config", _PACKAGE.parent / "config"):
        if (place / "feeds.yaml").is_file():
            return place
    raise RasidError("the default configuration is missing from this installation: install rasid again")


def init(
    folder: Annotated[Path, typer.Argument(help="Where; made if it is not there.")] = Path(),
) -> None:
    """Make a folder to run Rasid in: commented feeds, rules, channels and settings. Existing files are left alone.

    Example: rasid init news && cd news && rasid run
    """
    with told():
        source = shipped_config()
        target = folder / "config"
        try:
            target.mkdir(parents=True, exist_ok=True)
            for file in sorted(source.iterdir()):
                if file.is_file():
                    _place(file, target / file.name)
            _env(target / ".env")
        except OSError as error:
            raise RasidError(f"{error.filename or folder}: cannot be written ({error.strerror})") from error
    into = "" if folder == Path() else f"cd {folder} && "
    typer.echo(
        "\nNext:\n"
        f"  {into}rasid check       is everything in order?\n"
        f"  {into}rasid run         watch the feeds; without a Telegram token alerts are printed\n"
        f"  Telegram: write RASID_TELEGRAM_TOKEN and RASID_TELEGRAM_CHAT into {target / '.env'}, then "
        "rasid channels test main"
    )


def _place(source: Path, target: Path) -> None:
    if target.exists():
        typer.echo(f"  left alone  {target}")
        return
    shutil.copyfile(source, target)
    typer.echo(f"  made        {target}")


def _env(path: Path) -> None:
    """An empty file for secrets that only its owner can read."""
    if path.exists():
        typer.echo(f"  left alone  {path}")
        return
    path.touch(mode=0o600)
    path.write_text("# RASID_TELEGRAM_TOKEN=\n# RASID_TELEGRAM_CHAT=@my_channel\n", encoding="utf-8")
    typer.echo(f"  made        {path}  (secrets; readable by you alone)")
