"""Tests of the knowledge base of a site."""
