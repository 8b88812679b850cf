"""Summaries, and what updates would take."""
