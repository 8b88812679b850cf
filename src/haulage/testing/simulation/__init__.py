"""A whole hierarchy of sites in one thread: one seed decides everything that happens, so every failure can be replayed."""
