"""What lessons, exercises and the errata share: a lesson's options, pictures and claims."""

from minigrad.check.claims import (
    CONVENTION,
    DIFFERENCES,
    EXPERIMENT,
    FAILS,
    HOLDS,
    HOLDS_ROUNDED,
    NOT_COMPUTABLE,
)
from minigrad.learn.colours import BLUE, GREEN, GREY, RED
from minigrad.learn.lesson import Lesson, begin
from minigrad.learn.records import ClaimRecord, LessonRecord, read_record

__all__ = [
    "BLUE",
    "CONVENTION",
    "DIFFERENCES",
    "EXPERIMENT",
    "FAILS",
    "GREEN",
    "GREY",
    "HOLDS",
    "HOLDS_ROUNDED",
    "NOT_COMPUTABLE",
    "RED",
    "ClaimRecord",
    "Lesson",
    "LessonRecord",
    "begin",
    "read_record",
]
