"""Tests of engine/servicing."""
