"""Changes in place, with their place in the graph."""
