"""Parcels: what turns held versions into a wanted one over a line. Knows manifests and the store; no package, site or SQL."""
