"""Tests of who is told of which status messages."""
