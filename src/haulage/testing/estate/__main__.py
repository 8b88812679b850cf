"""``python -m haulage.testing.estate --home DIR --size small|middle|big|huge [--seed N] [--serve]``: makes a home with a whole
estate in it if there is none; ``--serve`` shows it until it is interrupted, without working on anything in it."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

from haulage.base.clock import SystemClock
from haulage.server.app import create_app
from haulage.server.listener import Listener
from haulage.testing.estate.making import make_estate
from haulage.testing.estate.opened import Estate
from haulage.testing.estate.size import SIZES
from haulage.wiring.home import SETTINGS, Home, load_home


def main(arguments: list[str]) -> int:
    """Make, and perhaps serve."""
    parser = argparse.ArgumentParser(prog="python -m haulage.testing.estate", description=__doc__)
    parser.add_argument("--home", required=True, help="a new folder; the sources of captured packages lie beside it")
    parser.add_argument("--size", choices=sorted(SIZES), default="small")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--listen", default="127.0.0.1:0", help="HOST:PORT of the made home")
    parser.add_argument("--database", default="", help="an empty database; otherwise site.db in the home")
    parser.add_argument("--serve", action="store_true", help="show it at its address; nothing is worked on")
    asked = parser.parse_args(arguments)
    path, clock = os.path.abspath(asked.home), SystemClock()
    if not os.path.exists(os.path.join(path, SETTINGS)):
        begun = clock.monotonic()
        make_estate(path, SIZES[asked.size], seed=asked.seed, listen=asked.listen, database=asked.database)
        print(f"{path}: made in {clock.monotonic() - begun:.1f} s", file=sys.stderr)
    if asked.serve:
        asyncio.run(_serve(load_home(path)))
    return 0


async def _serve(home: Home) -> None:
    with Estate(home) as estate:
        process, stop = estate.process, asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        app = create_app(process.service, limits=process.limits, pages=process.pages)
        listener = Listener(app, process.listen(), process.limits)
        await listener.start()
        print(f"ready {process.local_url}, token {home.token}", file=sys.stderr, flush=True)
        await stop.wait()
        await listener.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
