"""Coverage-guided fuzzing of every parser that reads bytes from outside: targets, the process that drives them, the table."""
