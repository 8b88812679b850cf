"""Summaries and the answer to "why is it stuck"."""
