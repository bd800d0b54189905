"""Two hosts: two network namespaces of this machine, joined by a cable of the kernel's. Needs root and Debian's iproute2."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from core.run.folder import RunFolder

POSSIBLE = os.name == "posix" and os.geteuid() == 0 and shutil.which("ip") is not None
FIRST = "10.77.0.1:29500"
"""Where the launchers meet; a namespace has all its ports to itself."""


class Host:
    def __init__(self, cable: str, number: int) -> None:
        self.name, self.interface, self.address = f"{cable}-{number}", f"{cable}{number}", f"10.77.0.{number}"
        self.first = number == 1

    def plug_in(self) -> None:
        for command in (
            f"ip link set {self.interface} netns {self.name}",
            f"ip -n {self.name} address add {self.address}/24 dev {self.interface}",
            f"ip -n {self.name} link set {self.interface} up",
            f"ip -n {self.name} link set lo up",
        ):
            subprocess.run(command.split(), check=True)

    def slow(self, link: str) -> None:
        """By a queue as ``tc`` has it, ``tbf rate 1gbit burst 128kb latency 50ms`` for instance; as fast as it goes without."""
        subprocess.run(f"tc -n {self.name} qdisc del dev {self.interface} root".split(), stderr=subprocess.DEVNULL)
        if link:
            subprocess.run(f"tc -n {self.name} qdisc add dev {self.interface} root {link}".split(), check=True)

    def torchrun(self, run: RunFolder, max_restarts: int = 0) -> subprocess.Popen[bytes]:
        """As docs/distributed.md has it, with what a machine of two names must be told."""
        command = [
            *("ip", "netns", "exec", self.name, sys.executable, "-P", "-m", "torch.distributed.run"),
            *("--nnodes=2", "--nproc-per-node=1", "--rdzv-backend=c10d", f"--rdzv-endpoint={FIRST}", "--rdzv-id=run"),
            *(f"--local-addr={self.address}", f"--rdzv-conf=is_host={int(self.first)}", f"--max-restarts={max_restarts}"),
            *("-m", "core.run.worker", str(run.path), "--threads=1"),
        ]
        settings = {
            "GLOO_SOCKET_IFNAME": self.interface,
            "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        log = run.path.parent / f"{self.name}.log"
        with log.open("ab") as output:
            return subprocess.Popen(
                command, env={**os.environ, **settings}, stdout=output, stderr=output, start_new_session=True
            )  # fmt: skip

    def processes(self) -> list[psutil.Process]:
        found = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=True)
        return [psutil.Process(int(number)) for number in found.stdout.split() if psutil.pid_exists(int(number))]

    def lose_power(self) -> None:
        for process in self.processes():
            process.send_signal(signal.SIGKILL)


@contextmanager
def two_hosts() -> Iterator[tuple[Host, Host]]:
    cable = f"tt{secrets.token_hex(3)}"
    first, second = Host(cable, 1), Host(cable, 2)
    for host in (first, second):
        subprocess.run(["ip", "netns", "add", host.name], check=True)
    try:
        subprocess.run(f"ip link add {first.interface} type veth peer name {second.interface}".split(), check=True)
        for host in (first, second):
            host.plug_in()
        yield first, second
    finally:
        for host in (first, second):
            host.lose_power()
            subprocess.run(["ip", "netns", "delete", host.name], check=True)
