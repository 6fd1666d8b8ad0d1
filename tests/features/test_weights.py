"""Where weights are looked for, and what is said when they are not there."""

import os
import subprocess
import sys

import pytest

from snapshelf.errors import ModelError
from snapshelf.features import weights
from snapshelf.features.weights import (
    file_digest,
    find_weights,
    load_safetensors,
    require_weights,
    weights_folders,
)


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Two named folders, the data folder's and the user's, in the order they are looked in."""
    first, second, data, user = (tmp_path / name for name in ("first", "second", "data", "user"))
    found = [first, second, data / "weights", user / "weights"]
    for folder in found:
        folder.mkdir(parents=True)
    monkeypatch.setenv("SNAPSHELF_WEIGHTS", f"{first}{os.pathsep}{second}")
    monkeypatch.setenv("SNAPSHELF_DATA", str(data))
    monkeypatch.setattr(weights, "user_data_path", lambda *args, **kwargs: user)
    return found


def test_the_first_folder_that_has_the_file_wins(folders):
    assert weights_folders() == tuple(folders)
    assert find_weights("a.safetensors") is None
    for folder in reversed(folders):
        (folder / "a.safetensors").write_bytes(b"")
        assert find_weights("a.safetensors") == folder / "a.safetensors"


def test_without_settings_only_the_users_folder_is_left(monkeypatch):
    monkeypatch.delenv("SNAPSHELF_WEIGHTS", raising=False)
    monkeypatch.setenv("SNAPSHELF_DATA", "")
    (folder,) = weights_folders()
    assert folder.is_absolute()
    assert folder.parts[-2:] == ("snapshelf", "weights")


def test_a_folder_of_that_name_is_no_file(folders):
    (folders[0] / "a.safetensors").mkdir()
    assert find_weights("a.safetensors") is None


@pytest.mark.parametrize("name", ["", "..", "../a", "a/b", "/etc/passwd", "a\\b", "."])
def test_a_name_cannot_leave_the_folders(folders, name):
    with pytest.raises(ValueError, match="plain file name"):
        find_weights(name)


def test_a_missing_file_is_told_with_every_place(folders):
    with pytest.raises(ModelError) as caught:
        require_weights("nowhere.safetensors")
    message = str(caught.value)
    assert "nowhere.safetensors" in message
    assert "SNAPSHELF_WEIGHTS" in message
    for folder in folders:
        assert str(folder) in message


def test_the_digest_is_of_the_content(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"abc")
    two.write_bytes(b"abc")
    assert file_digest(one) == file_digest(two)
    two.write_bytes(b"abd")
    assert file_digest(one) != file_digest(two)
    with pytest.raises(ModelError, match="cannot be read"):
        file_digest(tmp_path / "three")


@pytest.mark.torch
class TestLoading:
    @pytest.fixture(autouse=True)
    def _torch(self):
        pytest.importorskip("torch")

    def test_what_was_saved_comes_back(self, tmp_path):
        import torch
        from safetensors.torch import save_file

        saved = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(2, dtype=torch.float16)}
        save_file(saved, tmp_path / "w.safetensors")
        loaded = load_safetensors(tmp_path / "w.safetensors")
        assert loaded.keys() == saved.keys()
        for name in saved:
            assert loaded[name].dtype == saved[name].dtype
            assert torch.equal(loaded[name], saved[name])

    def test_a_missing_file(self, tmp_path):
        with pytest.raises(ModelError, match="no weights file at"):
            load_safetensors(tmp_path / "none.safetensors")

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"12345678",
            b"\xff" * 64,
            b"PK\x03\x04 a pickled checkpoint",
            b"\x02" + b"\0" * 7 + b"{}x",
        ],
    )
    def test_what_is_no_safetensors_file(self, tmp_path, content):
        path = tmp_path / "w.safetensors"
        path.write_bytes(content)
        with pytest.raises(ModelError, match="cannot be read as safetensors"):
            load_safetensors(path)

    def test_a_file_cut_short(self, tmp_path):
        import torch
        from safetensors.torch import save_file

        path = tmp_path / "w.safetensors"
        save_file({"a": torch.zeros(100)}, path)
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(ModelError, match="cannot be read as safetensors"):
            load_safetensors(path)

    def test_a_pickle_is_not_run(self, tmp_path):
        import pickle

        marker = tmp_path / "ran"

        class Bomb:
            def __reduce__(self):
                return os.mkdir, (str(marker),)

        path = tmp_path / "w.safetensors"
        path.write_bytes(pickle.dumps(Bomb()))
        with pytest.raises(ModelError, match="safetensors"):
            load_safetensors(path)
        assert not marker.exists()


def test_without_torch_one_line_says_what_to_install():
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from snapshelf.errors import ModelError\n"
        "import snapshelf.features\n"
        "try:\n"
        "    import snapshelf.features.backbone_encoder\n"
        "except ModelError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'snapshelf[torch]'" in done.stdout
    assert len(done.stdout.splitlines()) == 1


def test_another_missing_module_is_not_blamed_on_the_extra():
    from snapshelf.features.torch_extra import torch_extra

    with pytest.raises(ModuleNotFoundError, match="no_such_module"), torch_extra():
        import no_such_module  # noqa: F401


def test_the_package_alone_imports_nothing_heavy():
    code = (
        "import sys, snapshelf.features\n"
        "print({'torch', 'timm', 'cv2', 'faiss', 'pyarrow'} & sys.modules.keys() or 'nothing')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "nothing"
