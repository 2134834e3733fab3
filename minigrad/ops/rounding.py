"""Rounding and remainders, element by element."""
