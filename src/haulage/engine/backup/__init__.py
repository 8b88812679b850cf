"""A backup as a folder: signed list, digests, sealed secrets. Knows no home, no table and no site's insides."""
