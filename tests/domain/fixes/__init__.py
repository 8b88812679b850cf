"""Tests of known fixes."""
