"""Repairing one installed product from one bundle; embedded in every bundle, so standard library and CPython 3.9 alone."""
