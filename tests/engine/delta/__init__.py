"""Tests of this part of the tree."""
