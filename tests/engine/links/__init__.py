"""Tests of links between sites."""
