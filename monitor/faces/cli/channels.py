"""`rasid channels`: list the channels, and send a sample that explains a failure in words."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from monitor.alerts.render import render
from monitor.delivery import channels, transports
from monitor.delivery.redact import hush_libraries
from monitor.errors import StoreError
from monitor.faces.cli import complete
from monitor.faces.cli.common import AsJson, ConfigDir, print_json, print_table, told, unknown
from monitor.model import Channel, MessageView
from monitor.runtime import configuration, database
from monitor.runtime.configuration import Configuration

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_channels(config: ConfigDir = Path("config"), as_json: AsJson = False) -> None:
    """List the channels.

    Examples: rasid channels list · rasid channels list --json
    """
    with told():
        found = channels.load(config / "channels.yaml")
    if as_json:
        print_json([{"name": one.name, "type": one.type, "language": one.language} for one in found.values()])
        return
    print_table(["channel", "type", "language"], [[one.name, one.type, one.language] for one in found.values()])


@app.command("test")
def test_channel(
    name: Annotated[
        str, typer.Argument(autocompletion=complete.channels, help="The channel, as channels.yaml names it.")
    ],
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """Send a sample to a channel; a failure is explained in words and ends with 1.

    Example: rasid channels test main
    """
    hush_libraries()
    with told():
        found = configuration.load(config)
        channel = found.channels.get(name)
        if channel is None:
            raise unknown("channel", name, found.channels)
        checks = asyncio.run(_diagnose(channel, found))
        if all(one.ok for one in checks) and _resume(name, found):
            checks.append(transports.Check(True, "what waited for this channel is tried again at once"))
    if as_json:
        print_json([{"ok": one.ok, "what": one.what, "mend": one.mend} for one in checks])
    else:
        for one in checks:
            typer.echo(f"{'✓' if one.ok else '✗'} {one.what}{'' if one.ok or not one.mend else f' → {one.mend}'}")
    raise typer.Exit(0 if all(one.ok for one in checks) else 1)


def _resume(name: str, found: Configuration) -> bool:
    """End the hold of a channel that works again; False where none was held, or there is no database yet."""
    try:
        with contextlib.closing(database.open_store(found, read_only=True)) as store:
            held = any(name in chat.channels and chat.hold_until is not None for chat in store.chats())
    except StoreError:
        return False
    if held:
        with contextlib.closing(database.open_store(found)) as store:
            store.resume_chat(name, datetime.now(UTC))
    return held


async def _diagnose(channel: Channel, found: Configuration) -> list[transports.Check]:
    transport = transports.build(channel, found.settings.environ, http=found.http_options())
    sample = render(
        MessageView(0, "test", channel.name),
        {},
        language=channel.language,
        timezone=channel.timezone or found.settings.settings.zone,
        now=datetime.now(UTC),
    )
    try:
        return await transport.diagnose(sample)
    finally:
        await transport.close()
