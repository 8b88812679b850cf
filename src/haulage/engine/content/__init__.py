"""Chunks, manifests, the store, capture, restore. Knows no package, site or SQL."""
