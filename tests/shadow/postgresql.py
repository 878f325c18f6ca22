"""A PostgreSQL server of the tests' own: on loopback, in a directory that goes away, ended with the tests."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

# Set where a server must be there: then tests that need one fail instead of being skipped.
REQUIRED = "FAST_LITELLM_TEST_POSTGRESQL"
_USER = "ledger"


def program(name):
    """The path of one of PostgreSQL's programs, or None."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return shutil.which(name) or (str(installed[0]) if installed else None)


@contextlib.contextmanager
def server():
    """The URL of a running server's database."""
    initdb, postgres = program("initdb"), program("postgres")
    if initdb is None or postgres is None:
        reason = "PostgreSQL's programs initdb and postgres are not installed"
        assert not os.environ.get(REQUIRED), reason
        pytest.skip(reason)
    directory = Path(tempfile.mkdtemp(prefix="fast-litellm-postgresql-"))
    owner = _unprivileged(directory)
    try:
        data = directory / "data"
        command = [initdb, "-D", data, "-U", _USER, "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
        subprocess.run(command, check=True, capture_output=True, **owner)
        with _running(postgres, data, directory, owner) as url:
            yield url
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def _running(postgres, data, directory, owner):
    port = _free_port()
    options = ["-h", "127.0.0.1", "-p", str(port), "-k", str(directory), "-c", "fsync=off"]
    process = subprocess.Popen([postgres, "-D", data, *options], stderr=subprocess.PIPE, text=True, **owner)
    try:
        for line in process.stderr:
            if "ready to accept connections" in line:
                break
        else:
            raise AssertionError("the server ended before it was ready")
        yield f"postgresql://{_USER}@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.stderr.read()
        process.wait(30)
        process.stderr.close()


def _unprivileged(directory):
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "cwd": directory}


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
