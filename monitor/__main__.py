"""Entry point of the `rasid` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] == ["run"]:
        from monitor.runtime import stops

        stops.note()  # before a second of imports
    from monitor.faces.cli.app import run_command

    run_command()


if __name__ == "__main__":
    main()
