"""Pages about what there is and what is done with it: one file for each noun."""
