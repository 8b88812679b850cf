"""The first run, asked as a browser asks."""
