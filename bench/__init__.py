"""Benchmarks on a stack of their own: `python -m bench`, or `make bench`."""
