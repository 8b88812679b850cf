"""From an empty site to a first delivered package, one page for each step."""
