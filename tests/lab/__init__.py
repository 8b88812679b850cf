"""Whole hierarchies of real processes."""
