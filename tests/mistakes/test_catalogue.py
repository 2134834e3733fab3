"""The catalogue of mistakes: each says what its golden text says, and its cure works."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.check import Findings
from minigrad.check.lints import TABLE
from mistakes import errors, smells  # noqa: F401 (they fill the catalogue)
from mistakes.catalogue import CATALOGUE, Mistake, normal

ERRORS = [m for m in CATALOGUE.values() if m.kind == "error"]
SMELLS = [m for m in CATALOGUE.values() if m.kind == "smell"]


def said(mistake: Mistake) -> str:
    """Return what a mistake of kind error raises, or warns."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 (warnings are errors in the tests)
        mistake.wrong()
    return f"{type(caught.value).__name__}: {caught.value}"


def finite(value: Any) -> bool:
    if isinstance(value, mg.Tensor):
        return bool(np.isfinite(value.detach().numpy()).all())
    return value is None or bool(np.isfinite(value).all())


@pytest.mark.parametrize("mistake", ERRORS, ids=lambda m: m.id)
def test_errors_say_what_is_wrong_and_what_to_do(mistake: Mistake) -> None:
    assert normal(said(mistake)) == normal(mistake.golden)


@pytest.mark.parametrize("mistake", ERRORS, ids=lambda m: m.id)
def test_cured_errors_run(mistake: Mistake) -> None:
    assert finite(mistake.right())


@pytest.mark.parametrize("mistake", SMELLS, ids=lambda m: m.id)
def test_smells_are_found(mistake: Mistake) -> None:
    found = mistake.wrong()
    assert isinstance(found, Findings)
    assert mistake.id.partition(" ")[0] in found.ids
    assert normal(str(found)) == normal(mistake.golden)


@pytest.mark.slow
@pytest.mark.parametrize("mistake", SMELLS, ids=lambda m: m.id)
def test_cured_smells_are_gone(mistake: Mistake) -> None:
    found = mistake.right()
    assert isinstance(found, Findings)
    assert not found, str(found)


def test_every_smell_is_in_the_catalogue() -> None:
    assert set(TABLE) <= {m.id for m in SMELLS}


def test_the_catalogue_is_as_long_as_it_says() -> None:
    assert len(ERRORS) >= 25
    assert len(SMELLS) >= 25
