"""Definitions down the hierarchy, reports up, in order; twice is harmless."""
