"""Tests of the pages about articles and fixes."""
