"""Building a fix into one file that any machine with Python can run; reading such a file as data. Knows no site, no database."""
