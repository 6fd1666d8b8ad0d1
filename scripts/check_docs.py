"""Check that every relative link and picture in the Markdown files leads somewhere."""

import re
import subprocess
import sys
from pathlib import Path

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
HEADING = re.compile(r"^#+\s+(.+?)\s*$", re.MULTILINE)


def anchors(file: Path) -> set[str]:
    """Give the anchors of a Markdown file's headings, as the usual viewers make them."""
    names = HEADING.findall(re.sub(r"```.*?```", "", file.read_text(), flags=re.DOTALL))
    return {re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-") for name in names}


def broken_links(file: Path) -> list[str]:
    """Give the relative links of a Markdown file that lead nowhere."""
    broken = []
    for link in LINK.findall(CODE.sub("", file.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (file.parent / path) if path else file
        if not target.exists():
            broken.append(f"{file}: {link} does not exist")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            broken.append(f"{file}: {link}: no such heading")
    return broken


def main() -> int:
    """Check all Markdown files that belong to the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    )
    files = [Path(line) for line in listed.stdout.splitlines() if Path(line).exists()]
    broken = [problem for file in files for problem in broken_links(file)]
    print("\n".join(broken) or f"links of {len(files)} Markdown files lead somewhere")  # noqa: T201
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
