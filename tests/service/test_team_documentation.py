"""The examples of docs/team.md, run against a service; and what the documents say of bounds."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from service_parts import serving
from test_service_documentation import ADDRESS, BLOCK, shop

from snapshelf.service import Settings
from snapshelf.service.api_keys import add_key

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_examples_run(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    blocks = [(found[1], found[2]) for found in BLOCK.finditer((DOCS / "team.md").read_text())]
    assert [language for language, _ in blocks] == ["sh", "python"]
    key = add_key(tmp_path / "keys.json", "team", "write")
    with serving(shop(tmp_path), Settings(keys=tmp_path / "keys.json")) as client:
        for language, code in blocks:
            here = code.replace(ADDRESS, str(client.base_url).rstrip("/"))
            done = subprocess.run(
                ["sh", "-e"] if language == "sh" else [sys.executable, "-W", "error", "-"],
                input=here,
                cwd=tmp_path,
                env=os.environ | {"KEY": key},
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == 0, f"{here}\n{done.stdout}\n{done.stderr}"
            assert "SKU-" in done.stdout
        assert done.stdout.startswith("5 compared, 0 groups")
        assert done.stdout.rstrip().endswith("feed.csv")


def test_the_bounds_are_those_of_the_settings() -> None:
    text, settings = (DOCS / "team.md").read_text(), Settings()
    assert f"{settings.most_compared:,} pictures" in text
    assert f"{settings.most_groups:,}" in text
    assert f"up to {settings.annotated_pictures} pictures" in text
    assert settings.annotated_bytes == settings.feed_bytes == 256 * 2**20
    assert settings.feed_rows == 2_000_000
    assert (settings.jobs_kept, settings.jobs_kept_s) == (16, 3600)


def test_the_elements_names_are_those_of_its_script() -> None:
    text = (DOCS / "embedding.md").read_text()
    script = DOCS.parent / "src" / "snapshelf" / "pages" / "static" / "embed.js"
    code = script.read_text(encoding="utf-8")
    told = set(re.findall(r"`(--snapshelf-[a-z-]+)`", text))
    assert told == set(re.findall(r"var\((--snapshelf-[a-z-]+)", code))
    parts = set(re.findall(r'part: "(\w+)"', code))
    assert parts == {"button", "dialog", "drop", "card"}
    (table,) = re.findall(r"^\| attribute \|.*?\n\n", text, re.M | re.S)
    names = {name for line in table.splitlines() for name in re.findall(r"`(\w+)`", line[:30])}
    assert names == {*re.findall(r'#given\("(\w+)"\)', code), "label", "heading"}
