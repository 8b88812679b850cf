"""Tests of what every page leans on."""
