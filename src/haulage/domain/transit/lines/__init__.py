"""What crossed the lines by the hour, and orders on their way: kept for people to look at."""
