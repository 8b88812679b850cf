"""Tests of the room of declared things."""
