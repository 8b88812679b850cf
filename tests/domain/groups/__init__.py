"""Tests of the room of groups."""
