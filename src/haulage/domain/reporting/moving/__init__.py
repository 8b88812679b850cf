"""Which transfers a list shows, asked of the tables."""
