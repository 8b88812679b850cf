"""Tests of engine/archives."""
