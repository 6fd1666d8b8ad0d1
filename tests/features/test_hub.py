"""Published weights: from the weights folders, from a real (local) hub, and without any."""

import hashlib
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

import timm  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.features.backbone_encoder import backbone_encoder  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402

REPOSITORY = "timm/test_resnet.r160_in1k"
SCRIPT = """
import sys
from snapshelf.errors import ModelError
from snapshelf.features.hub import hub_weights
try:
    print(hub_weights(sys.argv[1]))
except ModelError as error:
    print("ModelError:", error)
"""


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(7)
    path = tmp_path / "published.safetensors"
    save_file(timm.create_model("test_resnet").state_dict(), path)
    return path


def fetch(tmp_path, repository=REPOSITORY, **environment):
    """Ask for the weights in a new process, since the hub's client reads its settings on import."""
    settings = {
        "HF_HOME": str(tmp_path / "cache"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "SNAPSHELF_WEIGHTS": "",
        "SNAPSHELF_DATA": "",
        "XDG_DATA_HOME": str(tmp_path / "user"),
        "NO_PROXY": "127.0.0.1",
        **environment,
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, repository],
        env={**kept, **settings},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), time.monotonic() - started


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as serves one file, by its published protocol."""

    content = b""
    asked: list[str]

    def do_HEAD(self):
        self.asked.append(f"{self.command} {self.path}")
        known = self.path == f"/{REPOSITORY}/resolve/main/model.safetensors"
        self.send_response(200 if known or self.path == "/" else 404)
        if known:
            self.send_header("ETag", f'"{hashlib.sha256(self.content).hexdigest()}"')
            self.send_header("X-Repo-Commit", "0" * 40)
            self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        return known

    def do_GET(self):
        if self.do_HEAD():
            self.wfile.write(self.content)

    def log_message(self, *args):
        pass


@pytest.fixture
def hub(weights):
    handler = type("OneFile", (Hub,), {"content": weights.read_bytes(), "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler.asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_fetches_once_and_then_uses_the_cache(tmp_path, hub, weights):
    address, asked = hub
    fetched, _ = fetch(tmp_path, HF_ENDPOINT=address)
    assert any(line.startswith("GET /timm/test_resnet") for line in asked)
    assert Path(fetched).read_bytes() == weights.read_bytes()
    asked.clear()
    again, _ = fetch(tmp_path, HF_ENDPOINT=address)
    assert again == fetched
    assert asked == []


def test_a_hub_that_cannot_be_reached_fails_fast_and_names_the_file(tmp_path):
    answer, seconds = fetch(tmp_path, HF_ENDPOINT="http://127.0.0.1:9")
    assert answer.startswith("ModelError:")
    for part in (
        REPOSITORY,
        "model.safetensors",
        "SNAPSHELF_WEIGHTS",
        "test_resnet.r160_in1k.safetensors",
        "once with a connection",
    ):
        assert part in answer
    assert seconds < 30


def test_offline_mode_is_honoured(tmp_path, hub):
    address, asked = hub
    answer, _ = fetch(tmp_path, HF_ENDPOINT=address, HF_HUB_OFFLINE="1")
    assert answer.startswith("ModelError:")
    assert "HF_HUB_OFFLINE" in answer
    assert asked == []


def test_a_file_that_the_hub_lacks(tmp_path, hub):
    address, _ = hub
    answer, _ = fetch(tmp_path, "timm/test_vit.r160_in1k", HF_ENDPOINT=address)
    assert answer.startswith("ModelError:")
    assert "timm/test_vit.r160_in1k" in answer


def test_a_weights_folder_comes_before_the_hub(monkeypatch, tmp_path, weights):
    weights.rename(tmp_path / "test_resnet.r160_in1k.safetensors")
    monkeypatch.setenv("SNAPSHELF_WEIGHTS", str(tmp_path))
    published = backbone_encoder("test_resnet", weights="hub")
    local = backbone_encoder("test_resnet", weights=tmp_path / "test_resnet.r160_in1k.safetensors")
    assert published.fingerprint == local.fingerprint
    assert published.dimension == local.dimension == 96
    inputs = published.prepare(
        torch.randint(0, 256, (50, 60, 3)).numpy().astype("uint8"), Domain.SHOP
    )[None]
    assert (published.encode(inputs, Domain.SHOP) == local.encode(inputs, Domain.SHOP)).all()


def test_a_published_file_that_does_not_fit(monkeypatch, tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "test_resnet.r160_in1k.safetensors")
    monkeypatch.setenv("SNAPSHELF_WEIGHTS", str(tmp_path))
    with pytest.raises(ModelError, match="test_resnet cannot be made"):
        backbone_encoder("test_resnet", weights="hub")


def test_weights_that_are_only_published_as_a_pickle_are_not_loaded():
    with pytest.raises(ModelError, match=r"legacy_seresnet18 are published only as .*\.pth"):
        backbone_encoder("legacy_seresnet18", weights="hub")


def test_a_backbone_without_published_weights():
    with pytest.raises(ModelError, match="test_vit4 are published nowhere"):
        backbone_encoder("test_vit4", weights="hub")
