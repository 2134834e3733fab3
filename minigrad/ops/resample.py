"""Unfolding, folding and resizing images."""
