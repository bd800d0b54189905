"""The same over the real SSH: a server of its own on the loopback, with keys of its own."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core import commands as c
from core import events as e
from core.errors import UserError
from core.remote.address import FAR, SSH, Address
from core.remote.mirrored import mirrored
from core.run import inbox, link
from core.run.folder import RunFolder
from tests.cli.conftest import Cli, cli, environment
from tests.remote.far import make_run, say, until

__all__ = ["cli", "environment"]
pytestmark = pytest.mark.others

SERVER = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/user.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
"""
CLIENT = """
Host *
  IdentityFile {folder}/user
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile {folder}/known
  StrictHostKeyChecking accept-new
  RemoteCommand tmux new-session -A
  LocalForward 127.0.0.1:{port} 127.0.0.1:22
  ExitOnForwardFailure yes
"""
"""What makes a shell of theirs comfortable must not be in the way."""


class Server:
    """``start`` and ``stop`` it: links that are there go on without it, as they do with any server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)], check=True)
        (folder / "server").write_text(SERVER.format(port=self.port, folder=folder))
        (folder / "client").write_text(CLIENT.format(folder=folder, port=self.port))
        self.log = folder / "log"

    def start(self) -> None:
        program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
        if program is None:
            pytest.skip("these tests need sshd: install openssh-server")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # which it wants for its own safety
        with self.log.open("ab") as log:
            command = [program, "-D", "-e", "-f", str(self._folder / "server")]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log)
        until(lambda: b"Server listening" in self.log.read_bytes())

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        self.log.write_bytes(b"")

    def cut(self) -> None:
        """All links that go through it."""
        for child in psutil.Process(self._process.pid).children(recursive=True):
            if child.name().startswith("sshd"):
                child.send_signal(signal.SIGKILL)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    folder = tmp_path / "ssh"
    folder.mkdir(mode=0o700)
    made = Server(folder)
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv(SSH, shlex.join(["ssh", "-F", str(folder / "client")]))
    python = shlex.join(["env", f"PYTHONPATH={Path(__file__).parents[2]}", sys.executable, "-P", "-m", "tui_trainer"])
    monkeypatch.setenv(FAR, python)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path / "my runs" / "demo")


def test_a_run_is_followed_steered_and_reached_again(server: Server, run: RunFolder) -> None:
    with run.hold(), mirrored(Address("127.0.0.1", server.port, str(run.path)), "", print) as found:
        mirror = found.run
        assert mirror.journal.read_bytes() == run.journal.read_bytes() and mirror.alive()
        identity = inbox.send(mirror, c.Pause())
        until(lambda: bool(inbox.waiting(run.inbox)))
        assert inbox.waiting(run.inbox)[0].name.endswith(f"-{identity}.json")
        server.cut()
        server.stop()
        until(lambda: (known := link.read(mirror.path)) is not None and "Connection refused" in known.why)
        say(run, *(e.MessageLogged(text=f"line {number}") for number in range(10_000)))
        assert mirror.alive()
        server.start()
        until(lambda: mirror.journal.read_bytes() == run.journal.read_bytes())
        known = link.read(mirror.path)
        assert known is not None and not known.away
    assert run.alive() is False and not found.root.exists()


def test_a_command_and_a_list_over_it(server: Server, run: RunFolder, cli: Cli, tmp_path: Path) -> None:
    variables = {name: os.environ[name] for name in (SSH, FAR)}
    listed = cli("runs", "--host", f"127.0.0.1:{server.port}{run.path.parent}".replace(" ", "%20"), cwd=tmp_path, env=variables)
    assert "demo" in listed.stdout, listed.stderr
    place = f"ssh://127.0.0.1:{server.port}{run.path}".replace(" ", "%20")
    refused = cli("tell", place, "remark=a few words", cwd=tmp_path, env=variables)
    assert refused.returncode == 2 and "no living trainer" in refused.stderr


def test_who_is_not_let_in_is_told_so_by_ssh(server: Server, run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "ssh" / "user.pub").write_text("")
    there, refused = Address("127.0.0.1", server.port, str(run.path)), r"^127\.0\.0\.1: .*Permission denied \(publickey\)\.$"
    with pytest.raises(UserError, match=refused), mirrored(there, "", print):
        pass
