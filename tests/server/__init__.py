"""Tests of the site server."""
