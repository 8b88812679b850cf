"""Tests of the chunk stores."""
