"""Random tensors, drawn on the host from a generator."""
