"""Finding articles: the index, its questions, and what a text (a log, a message) gives away. Knows no site, and no table of one."""
