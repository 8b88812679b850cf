"""Packages by sites: how each package stands at each site, as a table to look at in parts."""
