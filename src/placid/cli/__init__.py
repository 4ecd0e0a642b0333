"""The command `placid`: a thin face over the rooms below. Mistakes are told in one line each, never as a traceback."""

from __future__ import annotations

import sys

from placid.errors import PlacidError

__all__ = ["main"]


def main() -> None:
    """What the console script calls."""
    from placid.cli.app import app

    try:
        app()
    except PlacidError as error:
        from rich.console import Console
        from rich.text import Text

        told = Text("error: ", style="bold red")
        told.append(str(error), style="default not bold")
        Console(stderr=True, soft_wrap=True, highlight=False).print(told)
        sys.exit(2)
    except BrokenPipeError:  # `placid list topologies | head`
        sys.stderr.close()
        sys.exit(0)
