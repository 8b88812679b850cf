"""One file per step, named by its number; written by `python -m haulage.testing.migration`, then read by a person."""
