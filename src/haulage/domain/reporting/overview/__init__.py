"""What somebody sees first: what moves, what needs a person, what changed today."""
