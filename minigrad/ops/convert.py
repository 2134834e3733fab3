"""Copies, and conversions of dtype and device."""
