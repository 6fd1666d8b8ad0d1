"""What the documentation shows runs: docstring examples, and the blocks of the Markdown files.

Of README.md and docs/*.md these blocks are run, in a folder with a small shop:

- ``python``: all blocks of a file, in order, as one program;
- ``console``: the lines that begin with ``$ snapshelf``, in order, each of which must end with 0.

Of ``sh`` blocks only the names of commands and options are checked; ``text``, ``json`` and others
are shown only. A block below the line ``<!-- not run: REASON -->`` is passed over.
"""

import doctest
import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.main import get_command

from snapshelf.cli.main import app
from written_clip import written_clip

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"

BLOCK = re.compile(
    r"^(?P<skip><!-- not run: .+ -->\n)?```(?P<language>[a-z]+)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)

PROGRAM = """
import pathlib, sys
path, *spans = sys.argv[1:]
text = pathlib.Path(path).read_text(encoding="utf-8").split("\\n")
names = {"__name__": "__main__"}
for span in spans:
    first, last = map(int, span.split("-"))
    code = "\\n" * (first - 1) + "\\n".join(text[first - 1:last])
    exec(compile(code, path, "exec"), names)
"""


def documents():
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def modules():
    """Every module that has an example in its docstrings."""
    files = sorted(SOURCE.rglob("*.py"))
    names = [file.relative_to(SOURCE).with_suffix("").parts for file in files]
    return [
        ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        for file, parts in zip(files, names, strict=True)
        if ">>> " in file.read_text(encoding="utf-8")
    ]


@dataclass(frozen=True)
class Block:
    """A fenced block that is to be run, and where it stands (lines from 1)."""

    language: str
    code: str
    first: int
    last: int


def blocks(text, *languages):
    found = []
    for match in BLOCK.finditer(text):
        if match["language"] in languages and not match["skip"]:
            first = text.count("\n", 0, match.start("code")) + 1
            last = first + match["code"].count("\n") - 1
            found.append(Block(match["language"], match["code"], first, last))
    return found


def commands(block, prompt="$ "):
    """The words of each `snapshelf` command of a block; a backslash continues a line."""
    lines = block.code.replace("\\\n", " ").splitlines()
    found = [line.removeprefix(prompt) for line in lines if line.startswith(f"{prompt}snapshelf ")]
    return [shlex.split(line, comments=True)[1:] for line in found]


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A folder with what the documents speak of: feeds, pictures and photos."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    python_path = [str(SOURCE), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(python_path))
    rng = np.random.default_rng(1)
    rows, items = ["id,title,image,price,brand,category"], []
    other = ["Artikelnummer;Name;Bild;Preis"]
    for number in range(8):
        colours = rng.integers(0, 256, (4, 4, 3), np.uint8)
        picture = Image.fromarray(colours).resize((64, 64), Image.Resampling.NEAREST)
        picture.save(f"{number}.jpg", quality=95)
        category = "Apparel > Shoes" if number % 2 else "Bags"
        rows.append(
            f"SKU-{number},Product {number},{number}.jpg,{20 * number}.00 EUR,Acme,{category}"
        )
        other.append(f"{number};Größe {number};{number}.jpg;{number},90")
        items.append(
            f"<item><g:id>SKU-{number}</g:id><title>Product {number}</title>"
            f"<g:image_link>{number}.jpg</g:image_link><g:price>{20 * number} EUR</g:price></item>"
        )
    Path("feed.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    Path("artikel.csv").write_text("\n".join(other) + "\n", encoding="cp1252")
    Path("feed.txt").write_text("SKU-1=1.jpg\nSKU-2=2.jpg\n", encoding="utf-8")
    Path("feed.xml").write_text(
        '<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>'
        f"{''.join(items)}</channel></rss>",
        encoding="utf-8",
    )
    for name in ("street.jpg", "photo.jpg"):
        shutil.copy("3.jpg", name)
    shown = [np.asarray(Image.open(f"{number}.jpg")) for number in (3, 5) for _ in range(10)]
    Path("clip.mp4").write_bytes(written_clip(shown))
    return tmp_path


@pytest.mark.parametrize("name", modules())
def test_docstring_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        pytest.skip(f"needs the module {error.name}")
    examples = [each for found in doctest.DocTestFinder().find(module) for each in found.examples]
    assert examples, "an example that doctest does not find"
    if all(example.options.get(doctest.SKIP) for example in examples):
        pytest.skip("every example is marked to be skipped")
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("file", documents(), ids=lambda file: file.name)
def test_python_of_a_document_runs(file, shop):
    found = blocks(file.read_text(encoding="utf-8"), "python")
    if not found:
        pytest.skip("shows no Python")
    spans = [f"{block.first}-{block.last}" for block in found]
    run([sys.executable, "-W", "error", "-c", PROGRAM, str(file), *spans])


@pytest.mark.parametrize("file", documents(), ids=lambda file: file.name)
def test_commands_of_a_document_run(file, shop):
    found = blocks(file.read_text(encoding="utf-8"), "console")
    asked = [arguments for block in found for arguments in commands(block)]
    if not asked:
        pytest.skip("shows no command that is run")
    for arguments in asked:
        run([sys.executable, "-m", "snapshelf", *arguments])


@pytest.mark.parametrize("file", documents(), ids=lambda file: file.name)
def test_commands_that_are_only_shown_exist(file):
    known = {
        name: {option for parameter in command.params for option in parameter.opts}
        for name, command in get_command(app).commands.items()
    }
    for block in blocks(file.read_text(encoding="utf-8"), "sh"):
        for command, *arguments in commands(block, prompt=""):
            where = f"{file.name}, line {block.first}"
            assert command in known, where
            used = {word.partition("=")[0] for word in arguments if word.startswith("--")}
            assert used <= known[command], where


def test_every_block_is_found():
    """A fence that the rule above does not understand would be passed over in silence."""
    for file in documents():
        text = file.read_text(encoding="utf-8")
        inside = BLOCK.sub("", text)
        assert not re.search(r"^\s*```\s*(python|console)", inside, re.MULTILINE), file


def test_the_rule():
    text = (
        "```python\nfirst\n```\n\n```sh\n$ snapshelf never\n```\n"
        "<!-- not run: needs a camera -->\n```python\nskipped\n```\n"
        "```console\n$ snapshelf a \\\n    b\noutput\n$ ls\n$ snapshelf c  # why\n```\n"
    )
    assert blocks(text, "python") == [Block("python", "first\n", 2, 2)]
    (console,) = blocks(text, "console")
    assert commands(console) == [["a", "b"], ["c"]]


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{' '.join(command[-4:])}\n{done.stdout}\n{done.stderr}"
