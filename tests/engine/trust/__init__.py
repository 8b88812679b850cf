"""Tests of keys, signatures and joining."""
