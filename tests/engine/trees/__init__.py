"""Tests of engine/trees."""
