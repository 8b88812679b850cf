"""How messages and parcels cross from site to site."""
