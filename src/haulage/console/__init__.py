"""The web console: pages a server renders, for people. Reads views, writes through operations; knows no table."""
