"""How many shipments stand how at each site, kept as they change."""
