"""The layout of the tree of sites."""
