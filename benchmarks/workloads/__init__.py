"""One file for each workload: a function ``<framework>_step`` that builds it and returns a step."""
