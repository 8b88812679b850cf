"""Tests of homes and of putting sites together."""
