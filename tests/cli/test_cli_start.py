"""Starting: quickly, by both names, and with help that tells every option."""

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

HEAVY = (
    *("numpy", "torch", "faiss", "cv2", "PIL", "timm", "pyarrow", "httpx", "jinja2", "sklearn"),
    *("pillow_heif", "av", "sqlite3", "filelock", "fastapi", "uvicorn", "prometheus_client", "ray"),
)

OPTIONS = {
    "index": (
        *("--shelf", "--system", "--format", "--column", "--encoding", "--currency", "--recheck"),
        *("--allow-private", "--problems", "--json"),
        *("--ray", "--ray-workers", "--ray-cpus", "--ray-gpus", "--cost-per-hour"),
    ),
    "search": (
        *("--shelf", "--top", "--filter", "--system", "--json", "--html", "--allow-private"),
        *("--box", "--point", "--by-category", "--per-category"),
        *("--rate", "--max-seconds", "--locator"),
    ),
    "serve": (
        *("--shelf", "--host", "--port", "--system", "--keys", "--allow-origin", "--per-minute"),
        *("--fetch-urls", "--allow-private", "--events", "--proxies"),
        *("--page", "--theme", "--keep-links"),
        *("--ray", "--replicas", "--most-replicas", "--ray-cpus", "--encoder-replicas"),
        "--encoder-gpus",
    ),
    "key": ("--keys", "--scope", "--per-minute", "--origin"),
    "evaluate": ("--data", "--system", "--split", "--products", "--json", "--html"),
    "demo": ("--folder", "--products", "--system", "--seed"),
}

SCRIPT = """
import sys
sys.argv = ["snapshelf", *sys.argv[1:]]
from snapshelf.cli.main import main
try:
    main()
finally:
    print("\\nloaded:", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["index", "--help"]])
def test_help_loads_nothing_heavy(arguments):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=True
    )
    loaded = done.stdout.rpartition("loaded:")[2].split()
    assert "typer" in loaded
    assert not set(HEAVY) & set(loaded)


def test_both_names_start_the_same_command():
    script = Path(sys.executable).with_name("snapshelf")
    if not script.exists():
        pytest.skip("needs the package to be installed beside this Python")
    outputs = {
        subprocess.run([*start, "--version"], capture_output=True, text=True, check=True).stdout
        for start in ([str(script)], [sys.executable, "-m", "snapshelf"])
    }
    assert outputs == {f"snapshelf {version('snapshelf')}\n"}


def test_help_names_every_command(cli):
    for arguments in (("--help",), ("-h",)):
        shown = cli(*arguments)
        assert shown.code == 0
        assert all(re.search(rf"^\W*{name}\s", shown.out, re.MULTILINE) for name in OPTIONS)


@pytest.mark.parametrize("name", OPTIONS)
def test_help_names_every_option(cli, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "200")
    shown = cli(name, "--help")
    assert (shown.code, shown.err) == (0, "")
    assert set(re.findall(r"(?<![\w-])--[a-z-]+", shown.out)) == {*OPTIONS[name], "--help"}


def test_no_command_shows_the_help(cli):
    shown = cli()
    assert shown.code == 2
    assert "Commands" in shown.out + shown.err
