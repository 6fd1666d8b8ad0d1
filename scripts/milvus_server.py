"""A Milvus server for tests, benchmarks and trying out: ``python scripts/milvus_server.py``.

The package `milvus` listens on every interface of the machine, with no setting to change that. So
it runs in a network of its own, which has nothing but a loopback, and a relay lets connections to
one port of 127.0.0.1 through to it. Its data lies in memory, in a file system of a fixed size that
goes with it. Both need Linux that lets users make namespaces (``unshare -rnm``).
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

TOKEN = "root:Milvus"
"""User and password that a new server has."""

HEALTH_PORT = 9091
START_S = 120.0

# For a server of a few thousand rows, that is asked right after each write: shorter rounds than
# those of a large one, and growing segments compared exactly.
SETTINGS = {
    "COMMON_GRACEFULSTOPTIMEOUT": "1",
    "COMMON_SESSION_TTL": "5",
    "DATACOORD_SEGMENT_MINSIZEFROMIDLETOSEALED": "1024",
    "LOG_LEVEL": "warn",
    "LOG_STDOUT": "false",
    "PROXY_TIMETICKINTERVAL": "30",
    "QUERYCOORD_CHECKCHANNELINTERVAL": "100",
    "QUERYCOORD_CHECKHANDOFFINTERVAL": "500",
    "QUERYCOORD_CHECKINDEXINTERVAL": "500",
    "QUERYCOORD_CHECKSEGMENTINTERVAL": "100",
    "QUERYCOORD_DISTPULLINTERVAL": "100",
    "QUERYCOORD_UPDATENEXTTARGETINTERVAL": "1",
    "QUERYNODE_SEGCORE_INTERIMINDEX_ENABLEINDEX": "false",
}


class MilvusServer:
    """A server that runs until it is closed, and with the process that started it at the latest.

    Args:
        folder: For its programs and logs.
        size_mb: Of the file system that its data lies in.
        settings: Its settings, as environment variables, over `SETTINGS`.

    Attributes:
        port: Of 127.0.0.1, the same after a restart.

    Raises:
        OSError: If namespaces cannot be made here.
        TimeoutError: If it does not start.
    """

    def __init__(
        self, folder: Path, *, size_mb: int = 1_500, settings: dict[str, str] | None = None
    ) -> None:
        from milvus import MilvusServerConfig, _initialize_data_files

        data = folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        config = MilvusServerConfig()
        config.update(data_dir=str(folder))
        config.set("authorization_enabled", True)
        config.resolve_storage()
        config.write_config()
        _initialize_data_files(str(folder))
        self.logs = folder / "logs"
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        self.port: int = listener.getsockname()[1]
        environment = {
            **os.environ,
            **SETTINGS,
            **(settings or {}),
            "DEPLOY_MODE": "STANDALONE",
            "METRICS_PORT": str(HEALTH_PORT),
            "MILVUS_RUN_DIR": str(folder / "run"),
            "LD_LIBRARY_PATH": str(folder / "bin"),
        }
        inside = [sys.executable, __file__, "--inside", str(listener.fileno()), str(size_mb)]
        self._process = subprocess.Popen(
            ["unshare", "-rnm", *inside, str(config.get("proxy_port")), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            env=environment,
            text=True,
        )
        listener.close()
        try:
            if self._answer() != "here":
                raise OSError("namespaces cannot be made here (unshare -rnm): Linux must let users")
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def address(self) -> str:
        """Where shelves are: add a name."""
        return f"milvus://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        if (answer := self._tell("start")) != "started":
            raise TimeoutError(f"Milvus did not start ({answer}): see {self.logs}")

    def kill(self) -> None:
        """End it at once, as ``kill -9`` does; `start` starts it again with what it held."""
        self._tell("kill")

    def fill(self) -> None:
        """Use up its disk."""
        self._tell("fill")

    def free(self) -> None:
        """Give it back the room that `fill` took."""
        self._tell("free")

    @property
    def memory_mb(self) -> int:
        """Megabytes of memory that it takes now."""
        return int(self._tell("memory"))

    @property
    def disk_mb(self) -> int:
        """Megabytes of its disk that are in use."""
        return int(self._tell("disk"))

    def close(self) -> None:
        """End it, and forget what it held."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _tell(self, order: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


class _Inside:
    """The process in the namespaces, which starts the server and relays connections to it."""

    def __init__(self, port: int, folder: str, size_mb: int) -> None:
        self._port, self._folder = port, folder
        self._data = f"{folder}/data"
        self._server: subprocess.Popen[bytes] | None = None
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        size = f"size={size_mb}m"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", self._data], check=True)

    def obey(self, order: str) -> str:
        if order == "start":
            return self._start()
        if order == "memory":
            status = Path(f"/proc/{self._server.pid}/status").read_text() if self._server else ""
            kilobytes = [line.split()[1] for line in status.splitlines() if "VmRSS" in line]
            return str(int(kilobytes[0]) >> 10 if kilobytes else 0)
        if order == "disk":
            room = os.statvfs(self._data)
            return str((room.f_blocks - room.f_bfree) * room.f_frsize >> 20)
        {"kill": self.kill, "fill": self._fill, "free": self._free}[order]()
        return "done"

    def kill(self) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    def _start(self) -> str:
        self.kill()
        with open(f"{self._folder}/logs/server.log", "ab") as log:
            self._server = subprocess.Popen(
                [f"{self._folder}/bin/milvus", "run", "standalone"],
                cwd=self._folder,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._server.poll() is None:
            try:
                url = f"http://127.0.0.1:{HEALTH_PORT}/healthz"
                with urllib.request.urlopen(url, timeout=5) as answer:
                    if b"OK" in answer.read():
                        return "started"
            except (urllib.error.URLError, OSError):
                pass
            time.sleep(0.1)
        return f"exit status {self._server.poll()}"

    def _fill(self) -> None:
        with open(f"{self._data}/filler", "wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    continue

    def _free(self) -> None:
        os.unlink(f"{self._data}/filler")

    async def relay(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._pass_on, sock=listener)
        print("here", flush=True)
        while order := await loop.run_in_executor(None, sys.stdin.readline):
            print(await loop.run_in_executor(None, self.obey, order.strip()), flush=True)
        server.close()
        self.kill()
        os._exit(0)  # connections that are open still have nothing to wait for

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 18):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def main() -> None:
    """Run a server until a line, or the end, of standard input."""
    if sys.argv[1:2] == ["--inside"]:
        file, size, port, folder = sys.argv[2:]
        inside = _Inside(int(port), folder, int(size))
        asyncio.run(inside.relay(socket.socket(fileno=int(file))))
        return
    with tempfile.TemporaryDirectory() as folder:
        server = MilvusServer(Path(folder))
        try:
            print(
                f"export SNAPSHELF_MILVUS_TOKEN={TOKEN}; snapshelf ... --shelf {server.address}shop"
            )
            print("Enter ends it, and all it holds.", flush=True)
            sys.stdin.readline()
        finally:
            server.close()


if __name__ == "__main__":
    main()
