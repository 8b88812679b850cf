"""Haulage: software distribution for organisations with many sites on slow, metered or absent links."""
