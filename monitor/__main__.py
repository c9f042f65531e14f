"""Entry point of the `rasid` command."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from monitor.faces.cli.app import run_command

    run_command()


if __name__ == "__main__":
    main()
