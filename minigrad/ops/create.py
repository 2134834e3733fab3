"""New tensors: zeros, ones, ranges, identities."""
