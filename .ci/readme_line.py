"""Print one of README's set-up lines, so that what CI runs is what a reader copies.

Usage: python .ci/readme_line.py main|tests|book

README holds each line once, alone in a fenced block under the comment ``<!-- setup: NAME -->``.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCK = r"<!-- setup: {name} -->\n```sh\n(?P<lines>.*?)```\n"


def readme_line(name: str, text: str) -> str:
    """Return the one command under the comment that names it."""
    blocks = re.findall(BLOCK.format(name=re.escape(name)), text, flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    if len(lines) != 1:
        raise SystemExit(
            f"README.md must hold exactly one line under '<!-- setup: {name} -->', "
            f"in a block fenced as sh; found {len(lines)}"
        )
    return lines[0]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    sys.stdout.reconfigure(newline="\n")  # on Windows a shell would take "\r" for part of the line
    print(readme_line(sys.argv[1], README.read_text(encoding="utf-8")))
