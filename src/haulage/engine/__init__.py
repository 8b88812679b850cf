"""Floor 1: the mechanisms. No room here knows a package, a site or a person."""
