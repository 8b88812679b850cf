"""Tests of the index of articles and of what points at one."""
