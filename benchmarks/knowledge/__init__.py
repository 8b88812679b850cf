"""What the search of the knowledge base finds, how fast and in what space, beside another engine and ripgrep."""
