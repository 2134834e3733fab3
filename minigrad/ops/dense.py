"""The linear layer as one op."""
