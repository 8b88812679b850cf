"""Every page of the console, timed with a whole estate behind it."""
