"""The frame of a lesson: options, device, pictures, and claims that are judged and kept."""

from __future__ import annotations

import argparse
import io
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minigrad.backend import DeviceError, get_default_device, set_default_device
from minigrad.check.claims import (
    CANNOT,
    EXPERIMENT,
    FAILS,
    HOLDS,
    OWN_EXPRESSION,
    SIDE_BY_SIDE,
    Claim,
    FormulaClaim,
    judge_formula,
    reason_of,
    tally,
)
from minigrad.io.atomic import write_atomic
from minigrad.learn.records import LessonRecord, record, write_record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INSTALL = 'python -m pip install "minigrad-engine[lessons]"'
FOLDER = "lessons-output"
DPI = 120


def begin(
    stem: str,
    title: str,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    words: Sequence[str] | None = None,
) -> Lesson:
    """Begin a lesson: read its command line, set the default device, let matplotlib draw files.

    The command line has ``--out FOLDER`` and ``--device cpu|cuda|cuda:N``. In a notebook none is
    read, and the options have their defaults.

    Parameters
    ----------
    stem : str
        The name of the lesson's file without ``.py``.
    title : str
        What it is about, for ``--help``.
    options : mapping, optional
        More options: what `argparse.ArgumentParser.add_argument` takes, by name.
    words : sequence of str, optional
        The command line, if it is not this process's.

    Raises
    ------
    SystemExit
        The words mean nothing (status 2), or the device cannot be used.
    ImportError
        matplotlib is not installed.

    Examples
    --------
    The beginning of a lesson, and a claim:

    >>> from minigrad.learn import begin
    >>> epochs = {"--epochs": {"type": int, "default": 10}}
    >>> lesson = begin("09_digits", "Digits.", epochs, words=["--epochs", "3"])
    >>> lesson.options.epochs, lesson.device
    (3, device('cpu'))
    >>> lesson.claim("D0 4.3", "sigmoid(0.2)", printed="0.55", computed=0.549834)
    sigmoid(0.2)                       printed      0.55  computed 0.549834     holds
    """
    try:
        import matplotlib
    except ImportError as error:
        raise ImportError(f"the lessons need matplotlib: {INSTALL}") from error
    matplotlib.use("Agg")
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--out", default=FOLDER, metavar="DIR", help="folder for the pictures")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    for name, keywords in (options or {}).items():
        parser.add_argument(name, **keywords)
    found = parser.parse_args([] if words is None and _in_notebook() else words)
    try:
        set_default_device(found.device)
    except DeviceError as error:
        raise SystemExit(f"error: {error}") from None
    except ValueError as error:
        parser.error(str(error))
    return Lesson(stem, title, parser, found)


class Lesson:
    """A lesson that was begun; see `begin`.

    Attributes
    ----------
    stem, title : str
        The lesson.
    options : argparse.Namespace
        The words of its command line.
    device : Device
        Where its tensors are made.
    folder : pathlib.Path
        Where its pictures go.
    """

    def __init__(
        self, stem: str, title: str, parser: argparse.ArgumentParser, options: argparse.Namespace
    ) -> None:
        self.stem, self.title, self.options = stem, title, options
        self.device = get_default_device()
        self.folder = Path(options.out)
        self._parser = parser
        self._claims: list[tuple[Claim | FormulaClaim, str]] = []
        self._pictures: dict[str, str] = {}

    def refuse(self, message: str) -> None:
        """End the lesson with status 2 for an option that means nothing."""
        self._parser.error(message)

    def save(self, figure: Figure, name: str, caption: str) -> None:
        """Write a picture and say where it is; in a notebook, show it with its caption.

        Parameters
        ----------
        figure : matplotlib.figure.Figure
            It is closed.
        name : str
            The file's name: the lesson's stem and a word or more, ending in ``.png``.
        caption : str
            What it shows, in a sentence.
        """
        from matplotlib import pyplot

        if not name.startswith(self.stem) or not name.endswith(".png"):
            raise ValueError(f"a picture is called {self.stem}_WORD.png, not {name!r}")
        if not caption.strip():
            raise ValueError(f"the picture {name} has no caption: say in a sentence what it shows")
        data = io.BytesIO()
        figure.savefig(data, format="png", dpi=DPI, metadata={"Description": caption})
        pyplot.close(figure)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomic(self.folder / name, data.getvalue())
        self._pictures[name] = caption
        if _in_notebook():
            _show(data.getvalue(), caption)
        print(f"picture: {self.folder / name}")

    def claim(
        self,
        where: str,
        what: str,
        printed: str,
        computed: float | Callable[[], float],
        note: str = "",
        *,
        rounded: float | None = None,
        expect: str = HOLDS,
        check: str = OWN_EXPRESSION,
    ) -> None:
        """Judge a printed number: print the verdict, keep it, and assert that it is as expected.

        Parameters
        ----------
        where : str
            Document and section, as ``"D0 4.3"``.
        what : str
            What the number is said to be.
        printed : str
            The digits as printed.
        computed : float or callable
            What the document's own expression gives. A callable that raises for want of names,
            shapes or values has none: the number cannot be computed, and the reason is kept.
        note : str
            The reason, where the claim fails.
        rounded : float, optional
            What it gives from earlier numbers as they are printed.
        expect : str
            The verdict that the lesson states.
        check : str
            What decides.

        Raises
        ------
        AssertionError
            The verdict is another.
        """
        value = math.nan
        try:
            value = float(computed() if callable(computed) else computed)
        except CANNOT as error:
            if not callable(computed):
                raise
            note = f"{note}; {reason_of(error)}" if note else reason_of(error)
        self._judge(Claim(where, what, printed, value, note, rounded, check), expect)

    def formula(
        self,
        where: str,
        what: str,
        printed: Callable[[], Any],
        right: Any,
        note: str = "",
        *,
        conventions: Mapping[str, Any] | None = None,
        rtol: float = 1e-6,
        expect: str = HOLDS,
        check: str = SIDE_BY_SIDE,
    ) -> None:
        """Judge a printed formula by `minigrad.check.claims.judge_formula`, as `claim` does.

        Raises
        ------
        AssertionError
            The verdict is not the expected one.
        """
        judged = judge_formula(
            where, what, printed, right, note, conventions=conventions, rtol=rtol, check=check
        )
        self._judge(judged, expect)

    def statement(
        self,
        where: str,
        what: str,
        holds: bool | str,
        found: str,
        note: str = "",
        *,
        expect: str = HOLDS,
        check: str = EXPERIMENT,
    ) -> None:
        """Judge a printed statement by an experiment, as `claim` does.

        Parameters
        ----------
        where, what, note, expect, check
            See `claim`.
        holds : bool or str
            Whether the experiment says so; or a verdict.
        found : str
            What the experiment found, in numbers.

        Raises
        ------
        AssertionError
            The verdict is not the expected one.
        """
        verdict = holds if isinstance(holds, str) else HOLDS if holds else FAILS
        self._judge(FormulaClaim(where, what, verdict, found, note, check), expect)

    def finish(self) -> None:
        """Print how many claims there were of each verdict, and keep all for the errata."""
        print(tally(claim for claim, _ in self._claims))
        self._write()

    def _judge(self, claim: Claim | FormulaClaim, expect: str) -> None:
        self._claims.append((claim, expect))
        print(claim)
        if claim.verdict != expect:
            self._write()
            raise AssertionError(
                f"{claim.where}, {claim.what!r}: the lesson states {expect!r}, and the check says "
                f"{claim.verdict!r}"
            )

    def _write(self) -> None:
        claims = tuple(record(claim, expect) for claim, expect in self._claims)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_record(LessonRecord(self.stem, self.title, claims, self._pictures), self.folder)


def _in_notebook() -> bool:
    return "ipykernel" in sys.modules


def _show(picture: bytes, caption: str) -> None:
    """Show a picture in the notebook that this runs in."""
    ipython = import_module("IPython.display")
    image = ipython.Image(data=picture, format="png", alt=caption)
    ipython.display(image, ipython.Markdown(f"*{caption}*"))
