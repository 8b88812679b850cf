"""A whole believable estate, made up: sites, packages, places and their history, for pages and benchmarks."""
