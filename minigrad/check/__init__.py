"""Checks of a user's own work: are these derivatives right, and could the check have failed."""

from minigrad.check.gradcheck import gradcheck, gradgradcheck
from minigrad.check.lints import Finding, Findings
from minigrad.check.lints.run import lint
from minigrad.check.report import GradcheckReport, Mismatch, Row

__all__ = [
    "Finding", "Findings", "GradcheckReport", "Mismatch", "Row", "gradcheck", "gradgradcheck",
    "lint",
]  # fmt: skip
