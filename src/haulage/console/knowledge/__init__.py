"""Pages about articles and fixes: searching, reading, diagnosing."""
