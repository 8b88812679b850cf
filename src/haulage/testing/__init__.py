"""Shipped beside the product: clocks, folder builders, fault wrappers, the lab, the simulation."""
