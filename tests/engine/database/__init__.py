"""Tests of engine/database."""
