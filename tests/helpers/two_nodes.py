"""Two machines as network namespaces of this one: each with an address, a host name and an interface of its own.

Making them needs root and iproute2; they share the file system, as the machines of a cluster do.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ADDRESSES = ("10.99.19.1", "10.99.19.2")
NAMES = ("h-node-0", "h-node-1")


def are_possible() -> bool:
    """Whether this user of this machine can make them."""
    if sys.platform != "linux" or os.geteuid() or shutil.which("ip") is None:
        return False
    made = subprocess.run(["unshare", "--net", "--uts", "true"], capture_output=True, check=False)
    return made.returncode == 0


@contextmanager
def two_nodes() -> Iterator[None]:
    """Make the namespaces, and a cable between them."""

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True)

    for name in NAMES:
        ip("netns", "add", name)
    try:
        ip("link", "add", "cable0", "netns", NAMES[0], "type", "veth", "peer", "name", "cable1", "netns", NAMES[1])
        for place, (name, address) in enumerate(zip(NAMES, ADDRESSES, strict=True)):
            ip("-n", name, "address", "add", f"{address}/24", "dev", f"cable{place}")
            ip("-n", name, "link", "set", f"cable{place}", "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield
    finally:
        for name in NAMES:
            ip("netns", "delete", name)


def start_on(node: int, *command: str, log: Path, cwd: Path, **environment: str) -> "subprocess.Popen[Any]":
    """Start a command on a node, in a process group of its own; both its outputs are appended to ``log``."""
    inside = f'hostname {NAMES[node]}; exec "$@"'
    words = ["ip", "netns", "exec", NAMES[node], "unshare", "--uts", "sh", "-c", inside, "sh", *command]
    with log.open("ab") as file:
        return subprocess.Popen(
            words,
            cwd=cwd,
            env=os.environ | {"GLOO_SOCKET_IFNAME": f"cable{node}", "OMP_NUM_THREADS": "1"} | environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
