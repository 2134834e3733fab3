"""W1 to W4 written out by hand in NumPy, without any autograd: the limit of what it can do."""
