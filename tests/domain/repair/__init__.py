"""Tests of domain/repair."""
