"""Finding articles: the index, its questions, and what a text (a log, a status message) gives away. Knows no site and none of its tables."""
