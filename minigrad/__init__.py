"""minigrad: a small deep learning engine that explains itself."""

__version__ = "0.1.0"
