"""The examples of docs/service.md, run against a service of the shop that they speak of."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from service_parts import serving

from snapshelf.catalog import Catalog
from snapshelf.service import Settings
from snapshelf.service.api_keys import add_key
from snapshelf.service.measures import Measures
from snapshelf.service.search_options import SearchOptions
from snapshelf.shelf import Shelf
from snapshelf.systems import System
from written_clip import written_clip

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "service.md"
BLOCK = re.compile(
    r"^<!-- not run: its own test [^\n]*-->\n```(sh|python)\n(.*?)^```$", re.M | re.S
)
ADDRESS = "http://127.0.0.1:8000"


def shop(folder: Path) -> Path:
    rows = ["id,title,image,price,category"]
    for number in range(5):
        colours = np.random.default_rng(number).integers(0, 256, (4, 4, 3), np.uint8)
        picture = Image.fromarray(colours).resize((64, 64), Image.Resampling.NEAREST)
        picture.save(folder / f"{number}.jpg", quality=95)
        rows.append(f"SKU-{number},Product {number},{number}.jpg,{20 * number} EUR,Apparel > Shoes")
    shown = np.asarray(Image.open(folder / "2.jpg"))
    (folder / "street.mp4").write_bytes(written_clip([shown] * 10))
    (folder / "feed.csv").write_text("\n".join(rows) + "\n")
    shutil.copy(folder / "3.jpg", folder / "street.jpg")
    Shelf.build(
        Catalog.open(folder / "feed.csv"), folder / "shop", System.load("classical")
    ).close()
    return folder / "shop"


def commands() -> list[tuple[str, str]]:
    return [(found[1], found[2]) for found in BLOCK.finditer(DOCUMENT.read_text())]


def test_the_examples_run(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    blocks = commands()
    assert [language for language, _ in blocks] == [
        *("sh", "python", "sh", "python"),
        *("sh", "python", "sh"),
    ]
    key = add_key(tmp_path / "keys.json", "feed", "write")
    with serving(shop(tmp_path), Settings(keys=tmp_path / "keys.json")) as client:
        address = str(client.base_url).rstrip("/")
        for language, code in blocks:
            here = code.replace(ADDRESS, address)
            # The first examples are for a service without keys.
            here = here.replace(
                "curl --fail-with-body", f"curl -sS --fail-with-body --oauth2-bearer {key}"
            )
            here = here.replace(
                "httpx.Client(", f"httpx.Client(headers={{'Authorization': 'Bearer {key}'}}, "
            )
            command = ["sh", "-e"] if language == "sh" else [sys.executable, "-W", "error", "-"]
            done = subprocess.run(
                command,
                input=here,
                cwd=tmp_path,
                env=os.environ | {"KEY": key},
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == 0, f"{here}\n{done.stdout}\n{done.stderr}"
            assert done.stdout
        assert (tmp_path / "1.jpg").read_bytes()[:2] == b"\xff\xd8"


def test_every_table_and_bound_of_the_document_is_so() -> None:
    text = DOCUMENT.read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.M)) == set(SearchOptions.model_fields)
    settings = Settings()
    assert settings.most_in_work == 64
    assert f"{settings.picture_body_bytes / 2**20:.1f} MiB" in text
    clips = settings.clips
    assert (clips.max_bytes, clips.max_seconds, clips.work_s) == (200 * 2**20, 600, 600)
    assert (clips.upload_s, clips.most, clips.disk_bytes) == (300, 8, 2**30)
    assert (clips.results, clips.results_s, clips.results_bytes) == (100, 3600, 64 * 2**20)
    assert clips.max_pixels == 4096 * 2304
    told = set(re.findall(r"`(snapshelf_\w+)`", text))
    typed = set(re.findall(r"^# TYPE (\S+)", Measures().text().decode(), re.M))
    assert told == {name for name in typed if not name.endswith("_created")}


def test_every_attack_of_the_list_has_its_test() -> None:
    text = (DOCUMENT.parent / "security.md").read_text()
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", text, re.M)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 60
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)` \|$", text, re.M)
    assert len(named) == len(numbers)
    for file, name in named:
        assert f"def {name}(" in (Path(__file__).parent / file).read_text(), (file, name)
