"""Where the weights of learned matching come from, and what is said when they do not."""

from pathlib import Path

import pytest

from snapshelf.errors import MissingWeightsError, ModelError

pytestmark = pytest.mark.torch
kornia = pytest.importorskip("kornia.feature", reason="needs kornia, of the extra `torch`")

import httpx  # noqa: E402
import torch  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from snapshelf.matching.local import learned_weights  # noqa: E402
from snapshelf.matching.local.learned_weights import load_disk, load_lightglue  # noqa: E402


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only weights folder, of a machine without a connection and without downloads."""

    def offline() -> None:
        raise httpx.ConnectError("no route to the hub")

    monkeypatch.setenv("SNAPSHELF_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("SNAPSHELF_DATA", "")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(learned_weights, "reach_hub", offline)
    return tmp_path


def downloads(folder: Path) -> Path:
    kept = folder / "torch" / "hub" / "checkpoints"
    kept.mkdir(parents=True)
    return kept


@pytest.mark.parametrize(
    ("load", "own", "kept"),
    [
        (load_disk, "disk_depth.safetensors", "depth-save.pth"),
        (load_lightglue, "disk_lightglue.safetensors", "disk_lightglue_v0-1_arxiv-pth"),
    ],
)
class TestEachNetwork:
    def test_offline_the_files_and_places_are_told(self, folder, load, own, kept) -> None:
        with pytest.raises(MissingWeightsError) as caught:
            load()
        message = str(caught.value)
        assert "no route to the hub" in message
        for told in (own, str(folder), str(folder / "torch" / "hub" / "checkpoints" / kept)):
            assert told in message
        assert "SNAPSHELF_WEIGHTS" in message
        assert "\n" not in message

    def test_a_broken_download_is_named(self, folder, load, own, kept) -> None:
        path = downloads(folder) / kept
        for content in (b"", b"half a file", b"\x80\x04]\x94."):
            path.write_bytes(content)
            with pytest.raises(ModelError, match=f"{path} cannot be read as the weights"):
                load()
            assert path.read_bytes() == content

    def test_a_download_of_something_else_is_named(self, folder, load, own, kept) -> None:
        path = downloads(folder) / kept
        torch.save(
            {"extractor": {"unet.odd": torch.ones(2)}, "input_proj.weight": torch.ones(3)}, path
        )
        with pytest.raises(ModelError, match="holds no weights of"):
            load()

    def test_a_broken_safetensors_file_is_named(self, folder, load, own, kept) -> None:
        (folder / own).write_bytes(b"\x02" + b"\0" * 7 + b"{}x")
        with pytest.raises(ModelError, match="cannot be read as safetensors"):
            load()

    @pytest.mark.parametrize("change", ["missing", "not known", "shape"])
    def test_tensors_of_another_network_are_named(self, folder, load, own, kept, change) -> None:
        tensors = published(load)
        name = max(tensors)
        if change == "shape":
            tensors[name] = torch.ones(7)
        elif change == "missing":
            del tensors[name]
        else:
            tensors["odd"] = torch.ones(1)
        save_file(tensors, folder / own)
        with pytest.raises(ModelError, match=change):
            load()

    def test_tensors_from_a_safetensors_file(self, folder, load, own, kept) -> None:
        tensors = published(load)
        save_file(tensors, folder / own)
        network = load()
        assert not network.training
        for name, tensor in network.state_dict().items():
            assert torch.equal(tensor, tensors[name])

    def test_tensors_from_a_download(self, folder, load, own, kept) -> None:
        tensors = published(load)
        saved = {"extractor": tensors} if load is load_disk else tensors
        torch.save(saved, downloads(folder) / kept)
        network = load()
        assert not network.training
        for name, tensor in network.state_dict().items():
            assert torch.equal(tensor, tensors[name])


def published(load) -> dict[str, torch.Tensor]:
    """Make tensors such as are published."""
    torch.manual_seed(0)
    network = kornia.DISK() if load is load_disk else kornia.LightGlue(None, input_dim=128)
    return {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
