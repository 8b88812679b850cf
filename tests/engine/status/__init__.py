"""Tests of engine/status."""
