"""Fuzzing: each target's seeds, what was found before, and a bounded campaign."""
