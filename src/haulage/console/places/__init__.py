"""How the tree of sites is laid out and drawn."""
