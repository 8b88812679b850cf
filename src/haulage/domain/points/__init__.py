"""Putting a version on a distribution point, verifying, repairing, removing it."""
