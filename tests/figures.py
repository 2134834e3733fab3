"""README's figures, made from what they are about: ``python tests/figures.py [--write] [NAME]``.

A figure stands in README between ``<!-- figures: NAME -->`` and ``<!-- end -->``. Without options
each is made anew and compared with what stands there; the exit status is 1 where one differs.
``--write`` puts the new ones in. Some need what another command wrote:

    python -m minigrad lessons run --out FOLDER     python tests/figures.py lessons --lessons FOLDER
    python -m tests.mutation --json FILE            python tests/figures.py mutation --mutation FILE
    python -m benchmarks run --json FILE            python tests/figures.py speed --speed FILE FILE

Names that need something that is not given are left out.
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent
README = TESTS.parent / "README.md"
PICTURES = TESTS.parent / "lessons" / "pictures"
sys.path[:0] = [str(TESTS), str(TESTS.parent)]
BLOCK = r"(<!-- figures: {name} -->\n)(.*?)(<!-- end -->)"


def ops() -> str:
    """Return how many ops there are."""
    from support.cases import cases

    import minigrad  # noqa: F401
    from minigrad.engine.op import TABLE

    rows = [row for row in TABLE.values() if row.rules]
    second = sum(row.facts is not None and row.facts.order > 1 for row in TABLE.values())
    return (
        f"{len(TABLE)} ops, {len(rows)} of them with derivative rules of their own (the others are "
        f"made of these, or have none); {second} are checked to second order, "
        f"on {len(cases(TABLE.values())):,} calls.\n"
    )


def mistakes() -> str:
    """Return how many classic mistakes the catalogue has, by what happens."""
    import mistakes.errors
    import mistakes.smells  # noqa: F401
    from mistakes.catalogue import CATALOGUE

    kinds = Counter(mistake.kind for mistake in CATALOGUE.values())
    return (
        f"{len(CATALOGUE)} classic mistakes: {kinds['error']} are refused with an error that names "
        f"values and cure, {kinds['smell']} run without a word and are found by lint.\n"
    )


def exercises() -> str:
    """Return what becomes of the solutions and of the wrong answers (a minute)."""
    from minigrad.learn.exercises.exercise import find_exercises
    from minigrad.learn.exercises.zoo import kills

    rows = [kills(exercise, seed=1) for exercise in find_exercises()]
    assert all(row.sound for row in rows), [row.name for row in rows if not row.sound]
    cells = [(kind, cell) for row in rows for kind, cell in row.cells.items()]
    refused = sum(cell.killed for _, cell in cells)
    kinds = {kind for kind, cell in cells if cell.of}
    return (
        f"{len(rows)} exercises: each solution passes, and {refused} wrong answers of "
        f"{len(kinds)} kinds are refused, all that were made.\n"
    )


def lessons(folder: Path) -> str:
    """Return the map of the lessons: what each shows, in README's words, and what was counted."""
    from minigrad.cli.lessons import find_lessons
    from minigrad.learn.exercises.exercise import find_exercises
    from minigrad.learn.records import read_record, record_path

    rows = re.findall(
        r"^\| (\d+_\w+) \| (.*?) \|", README.read_text(encoding="utf-8"), re.MULTILINE
    )
    shown = dict(rows)
    lines = ["| Lesson | What it shows | Claims judged | Exercises |", "|---|---|---|---|"]
    for lesson in find_lessons():
        claims = read_record(record_path(folder, lesson.stem)).claims
        own = [e.short for e in find_exercises() if e.lesson == f"{lesson.number:02}"]
        if lesson.stem not in shown:
            raise SystemExit(f"README.md says nowhere what {lesson.stem} shows")
        cells = (lesson.stem, shown[lesson.stem], _verdicts(claims), ", ".join(own))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _verdicts(claims: Sequence[Any]) -> str:
    counts = Counter(claim.verdict for claim in claims)
    holds = sum(n for verdict, n in counts.items() if verdict.startswith("holds"))
    return f"{holds} of {len(claims)} hold" if claims else "none"


def errata(folder: Path) -> str:
    """Return how many claims there are of each verdict."""
    from minigrad.learn.errata import by_verdict, read_folder, rows

    found = rows(read_folder(folder))
    words = {"holds": "hold", "fails": "fail", "convention differs": "follow another convention"}
    words["holds as rounded on the way"] = "hold as rounded on the way"
    counts = ", ".join(f"{n} {words.get(v, v)}" for v, n in by_verdict(found).items())
    return f"{len(found)} claims of the five documents are judged: {counts}.\n"


def mutation(file: Path) -> str:
    """Return the score of the derivative rules' mutants, and the table by kind."""
    from mutation.report import scores
    from mutation.run import reasons

    import minigrad  # noqa: F401

    records = [r for r in json.loads(file.read_text(encoding="utf-8")) if r["state"] != "void"]
    killed = sum(r["state"] == "killed" for r in records)
    harmless = reasons(errors=False)
    same = sum(r["state"] == "survived" and r["id"] in harmless for r in records)
    errors = len(records) - same
    lines = [
        f"{killed:,} of {len(records):,} mutants are killed ({100 * killed / len(records):.1f} %). "
        f"{same} of the {len(records) - killed} survivors change no derivative, so of {errors:,} "
        f"planted errors {killed:,} are killed ({100 * killed / errors:.2f} %).",
        "",
        "| Kind of error | Killed | Planted |",
        "|---|---:|---:|",
    ]
    groups = scores(records, lambda r: r["kind"])
    lines += [f"| {kind} | {k} | {n} |" for kind, (k, n) in groups.items()]
    return "\n".join(lines) + "\n"


def speed(files: Sequence[Path]) -> str:
    """Return the table of the workloads: ratios to torch, the least and largest of the runs."""
    runs = [json.loads(file.read_text(encoding="utf-8"))["workloads"] for file in files]
    lines = [
        "| | Workload | PyTorch, ms | minigrad | captured | hand-written NumPy |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for label, first in runs[0].items():
        cells = [_range([run[label]["seconds"]["torch"]["median"] * 1e3 for run in runs], ".3g")]
        for name in ("minigrad", "captured", "numpy"):
            ratios = [
                run[label]["seconds"][name]["median"] / run[label]["seconds"]["torch"]["median"]
                for run in runs
                if name in run[label]["seconds"]
            ]
            cells.append(_range(ratios, ".2f"))
        lines.append(f"| {label} | {first['title']} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _range(values: Sequence[float], style: str) -> str:
    if not values:
        return ""
    low, high = (format(x, style) for x in (min(values), max(values)))
    return low if low == high else f"{low} - {high}"


def graph() -> bytes:
    """Return the drawing of README's formula."""
    from minigrad.explain import draw
    from minigrad.explain.expression import evaluate_formula

    y = evaluate_formula("tanh(x*w+b)", ["x=1", "w=2", "b=-1"])
    return (draw(y).svg + "\n").encode()


def pictures(folder: Path | None) -> dict[str, bytes]:
    """Return the pictures that README shows and that can be made, by their names."""
    found = {"graph.svg": graph()}
    if folder is not None:
        name = "06_gradient_descent_family.png"
        found[name] = (folder / name).read_bytes()
    return found


def same_picture(old: Path, new: bytes) -> bool:
    """Whether a picture looks like another: as text if it is one, else nearly the same points."""
    if not old.exists():
        return False
    if old.suffix == ".svg":
        return old.read_bytes() == new
    import io

    import numpy as np
    from matplotlib.image import imread

    a, b = imread(old), imread(io.BytesIO(new), format="png")
    return a.shape == b.shape and float(np.abs(a - b).mean()) < 0.01


def made(options: argparse.Namespace) -> dict[str, Callable[[], str]]:
    """Return how each figure is made that can be made from what was given."""
    found: dict[str, Callable[[], str]] = {"ops": ops, "mistakes": mistakes, "exercises": exercises}
    if options.lessons:
        found["lessons"] = lambda: lessons(options.lessons)
        found["errata"] = lambda: errata(options.lessons)
    if options.mutation:
        found["mutation"] = lambda: mutation(options.mutation)
    if options.speed:
        found["speed"] = lambda: speed(options.speed)
    return found


def put(text: str, name: str, figure: str) -> str:
    """Return README's text with a figure in its place.

    Raises
    ------
    SystemExit
        There is not exactly one such place.
    """
    pattern = re.compile(BLOCK.format(name=re.escape(name)), re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise SystemExit(f"README.md must have '<!-- figures: {name} -->' and its end, once")
    return pattern.sub(lambda found: f"{found[1]}{figure}{found[3]}", text)


def main(words: Sequence[str] | None = None) -> int:
    """Make the figures, and compare or write them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="figures (default: all that can be made)")
    parser.add_argument("--write", action="store_true", help="put them into README")
    parser.add_argument("--lessons", type=Path, metavar="FOLDER")
    parser.add_argument("--mutation", type=Path, metavar="FILE")
    parser.add_argument("--speed", type=Path, nargs="+", metavar="FILE")
    options = parser.parse_args(words)
    makers = made(options)
    if unknown := [name for name in options.names if name not in makers]:
        parser.error(
            f"no figure {unknown[0]!r} from what was given; there are: {', '.join(makers)}"
        )
    old = new = README.read_text(encoding="utf-8")
    for name in options.names or makers:
        new = put(new, name, makers[name]())
    wrong = []
    if not options.names:
        for name, data in pictures(options.lessons).items():
            if not same_picture(PICTURES / name, data):
                wrong.append(name)
                if options.write:
                    PICTURES.mkdir(exist_ok=True)
                    (PICTURES / name).write_bytes(data)
    if old == new and (options.write or not wrong):
        return 0
    if options.write:
        README.write_text(new, encoding="utf-8")
        return 0
    lines = (text.splitlines(keepends=True) for text in (old, new))
    sys.stdout.writelines(difflib.unified_diff(*lines, "README.md", "as it is now"))
    print("".join(f"the picture {name} is another today\n" for name in wrong), end="")
    print("README's figures are not those of today; python tests/figures.py --write puts them in")
    return 1


if __name__ == "__main__":
    sys.exit(main())
