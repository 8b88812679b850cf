"""The numbered status messages and their journal."""
