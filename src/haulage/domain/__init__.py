"""Floor 2: sites, packages, shipments, points: the rules of distribution."""
