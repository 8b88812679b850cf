"""Tests of the articles that come with Haulage."""
