"""Read a JUnit report: count the tests, and fail when one was skipped that CI could have run.

Usage: python .ci/check_skips.py REPORT.xml [--also REGEX]... [--strict]

A skip is excused when its reason matches a line of ``.ci/allowed-skips`` or an ``--also``; with
``--strict`` an ``--also`` alone excuses.
"""

from __future__ import annotations

import argparse
import re
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

ALLOWED = Path(__file__).resolve().parent / "allowed-skips"


def allowed_reasons(text: str) -> list[str]:
    """Return the regular expressions of the list, without blank lines and comments."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def reason_of(case: ET.Element) -> str | None:
    """Return why a test was skipped; None when it was not (an expected failure ran)."""
    skipped = case.find("skipped")
    if skipped is None or skipped.get("type") == "pytest.xfail":
        return None
    if skipped.get("message") == "collection skipped":
        # A module skipped as a whole: its text is a tuple (path, line, 'Skipped: reason').
        text = skipped.text or ""
        return text.partition("Skipped: ")[2].rstrip("')") or text
    return skipped.get("message") or "no reason given"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("report", type=Path)
    parser.add_argument("--also", action="append", default=[], metavar="REGEX")
    parser.add_argument("--strict", action="store_true")
    options = parser.parse_args()

    cases = list(ET.parse(options.report).iter("testcase"))
    failed = sum(1 for c in cases if c.find("failure") is not None or c.find("error") is not None)
    skips = Counter(reason for case in cases if (reason := reason_of(case)) is not None)
    skipped = skips.total()
    excuses = list(options.also)
    if not options.strict:
        excuses += allowed_reasons(ALLOWED.read_text(encoding="utf-8"))

    avoidable = 0
    for reason, count in sorted(skips.items()):
        excused = any(re.search(excuse, reason) for excuse in excuses)
        avoidable += 0 if excused else count
        print(f"{'allowed' if excused else 'AVOIDABLE':9} skip x{count}: {reason}")
    print(f"tests: {len(cases) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    if avoidable:
        print(
            f"{avoidable} tests were skipped for a reason that CI could have avoided: let .ci/run "
            "provide what they need, or add the reason to .ci/allowed-skips and say why"
        )
    return 1 if avoidable or failed or not cases else 0


if __name__ == "__main__":
    raise SystemExit(main())
