"""Floor 5: the only place that chooses implementations."""
