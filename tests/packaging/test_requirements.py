"""What pyproject.toml asks for: lower bounds only, and CI's oldest versions are those bounds."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def bounds(requirements: list[str]) -> dict[str, str]:
    """Return each requirement's name and lower bound; anything but a lower bound is an error."""
    found = {}
    for requirement in requirements:
        if requirement.startswith("minigrad-engine["):
            continue
        match = re.fullmatch(r"([a-z0-9-]+)(?:\[[a-z]+\])?>=([0-9.]+)", requirement)
        assert match, f"not just a lower bound: {requirement}"
        found[match[1]] = match[2]
    return found


def test_version_is_not_stated_here() -> None:
    assert "version" not in PROJECT
    assert PROJECT["dynamic"] == ["version"]


def test_only_numpy_is_needed() -> None:
    assert list(bounds(PROJECT["dependencies"])) == ["numpy"]


def test_every_extra_has_lower_bounds_only() -> None:
    for name, requirements in EXTRAS.items():
        assert bounds(requirements), name


BROUGHT = ("data", "images", "lessons", "sklearn", "tensorboard", "train")


def test_tests_bring_every_extra_that_is_tested() -> None:
    assert f"minigrad-engine[{','.join(BROUGHT)}]" in EXTRAS["test"]


def test_oldest_versions_are_the_lower_bounds() -> None:
    lines = (ROOT / ".ci" / "oldest-versions.txt").read_text(encoding="utf-8").splitlines()
    oldest = dict(line.split("==") for line in lines if not line.startswith("#"))
    names = (*BROUGHT, "test")
    asked = bounds(PROJECT["dependencies"] + [r for name in names for r in EXTRAS[name]])
    assert oldest == {name: f"{bound}.*" for name, bound in asked.items()}
