"""The HTTP contract: one file per noun, each a list of endpoints. Reads views, writes through operations, decides nothing."""
