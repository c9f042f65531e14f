"""`rasid channels`: list the channels, and send a sample that explains a failure in words."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from monitor.alerts.render import render
from monitor.delivery import channels, transports
from monitor.delivery.redact import hush_libraries
from monitor.faces.cli.common import AsJson, ConfigDir, err, print_json, print_table, told
from monitor.model import Channel, MessageView

app = typer.Typer(no_args_is_help=True, help="Channels: list them, send a sample.")


@app.command("list")
def list_channels(config: ConfigDir = Path("config"), as_json: AsJson = False) -> None:
    """List the channels."""
    with told():
        found = channels.load(config / "channels.yaml")
    if as_json:
        print_json([{"name": one.name, "type": one.type, "language": one.language} for one in found.values()])
        return
    print_table(["channel", "type", "language"], [[one.name, one.type, one.language] for one in found.values()])


@app.command("test")
def test_channel(
    name: Annotated[str, typer.Argument(help="The channel, as channels.yaml names it.")],
    config: ConfigDir = Path("config"),
    as_json: AsJson = False,
) -> None:
    """Send a sample to a channel; a failure is explained in words and ends with 1."""
    hush_libraries()
    with told():
        found = channels.load(config / "channels.yaml")
        channel = found.get(name)
        if channel is None:
            err.print(f"[red]✗[/red] no channel is called {name}; there are: {', '.join(found) or 'none'}")
            raise typer.Exit(2)
        checks = asyncio.run(_diagnose(channel, os.environ))
    if as_json:
        print_json([{"ok": one.ok, "what": one.what, "mend": one.mend} for one in checks])
    else:
        for one in checks:
            typer.echo(f"{'✓' if one.ok else '✗'} {one.what}{'' if one.ok or not one.mend else f' → {one.mend}'}")
    raise typer.Exit(0 if all(one.ok for one in checks) else 1)


async def _diagnose(channel: Channel, env: Mapping[str, str]) -> list[transports.Check]:
    base_url = env.get("RASID_TELEGRAM__BASE_URL")
    http = transports.HttpOptions(base_url=base_url) if base_url else transports.HttpOptions()
    transport = transports.build(channel, env, http=http)
    sample = render(
        MessageView(0, "test", channel.name),
        {},
        language=channel.language,
        timezone=channel.timezone or "UTC",
        now=datetime.now(UTC),
    )
    try:
        return await transport.diagnose(sample)
    finally:
        await transport.close()
