"""Exponentials, logarithms, powers and roots, element by element."""
