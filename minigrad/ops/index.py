"""Indexing: reading and writing chosen elements."""
