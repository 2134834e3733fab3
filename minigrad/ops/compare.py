"""Comparisons, logic and selection, element by element."""
