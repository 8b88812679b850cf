"""Tests of wire documents."""
