"""A PostgreSQL of one's own, from the system's packages, for as long as a test takes."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USERS = ("postgres", "nobody")


def programs() -> Path | None:
    """Where initdb and postgres lie: Debian keeps them off the path."""
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((place for place in reversed(places) if (place / "postgres").is_file()), None)


def unprivileged() -> str | None:
    """Whom to run it as: it refuses root."""
    if os.geteuid() != 0:
        return None
    return next(user for user in USERS if user in {each.pw_name for each in pwd.getpwall()})


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of a database that holds nothing yet."""
    place = programs()
    assert place is not None
    user = unprivileged()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="costlab-postgresql-"))
    try:
        if user:
            shutil.chown(folder, user)
        data = folder / "data"
        subprocess.run(
            [place / "initdb", "-D", data, "-U", "costlab", "--auth=trust", "-N", "-E", "UTF8", "--locale=C"],
            user=user,
            cwd="/",
            check=True,
            stdout=subprocess.DEVNULL,
        )
        settings = ["-c", f"port={port}", "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        server = subprocess.Popen(
            [place / "postgres", "-D", data, "-k", folder, *settings],
            user=user,
            cwd="/",
            stderr=subprocess.DEVNULL,
        )
        try:
            url = f"postgresql://costlab:secret@127.0.0.1:{port}/postgres"
            _await(url)
            yield url
        finally:
            server.terminate()
            server.wait(20)
    finally:
        shutil.rmtree(folder)


def _await(url: str) -> None:
    """Wait until it can be spoken to."""
    import psycopg

    for _ in range(100):
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("PostgreSQL does not start")
