"""Chunks, manifests, the store, capture, restore, parcels. Knows no package, site or SQL."""
