"""Checks of a user's own work: are these derivatives right, and could the check have failed."""

from minigrad.check.gradcheck import gradcheck, gradgradcheck
from minigrad.check.report import GradcheckReport, Mismatch

__all__ = ["GradcheckReport", "Mismatch", "gradcheck", "gradgradcheck"]
