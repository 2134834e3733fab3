"""The extras are those of pyproject.toml; the line that installs them fits the installation."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from minigrad.cli import extras
from minigrad.cli.gpu import WHEELS

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def brought(extra: str) -> set[str]:
    """Return the distributions that an extra brings, by itself and by the extras it names."""
    found = set()
    for requirement in PROJECT["optional-dependencies"][extra]:
        name, _, rest = re.split(r">=", requirement)[0].partition("[")
        if name == extras.DISTRIBUTION:
            found |= set().union(*map(brought, rest.rstrip("]").split(",")))
        else:
            found.add(name)
    return found


ASKED = {extra: brought(extra) for extra in PROJECT["optional-dependencies"]}


@pytest.mark.parametrize("extra", extras.EXTRAS)
def test_an_extra_brings_what_pyproject_says(extra: str) -> None:
    assert set(extras.EXTRAS[extra]) == ASKED[extra]


def test_gpu_extras_bring_wheels_that_are_known() -> None:
    assert ASKED["gpu12"] | ASKED["gpu13"] <= set(WHEELS)


def test_name_of_the_distribution() -> None:
    assert PROJECT["name"] == extras.DISTRIBUTION


def test_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(extras.EXTRAS, "made-up", ("numpy", "no_such_module_anywhere"))
    assert extras.missing("made-up") == ["no_such_module_anywhere"]


def test_version_of_what_is_not_installed() -> None:
    assert extras.version("no-such-distribution-anywhere") is None


def test_line_for_an_installed_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "version", lambda name: "1.0")
    assert extras.pip_line("data") == 'python -m pip install "minigrad-engine[data]"'


def test_line_for_a_checkout_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "version", lambda name: None)
    assert extras.pip_line("data") == f'python -m pip install -e "{ROOT}[data]"'
