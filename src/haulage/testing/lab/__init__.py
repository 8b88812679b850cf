"""The lab: a whole hierarchy of real servers as real processes, to be killed at will. Knows the product only by its commands."""
