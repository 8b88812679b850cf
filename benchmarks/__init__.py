"""Measurements of Haulage's engine beside its peers, printed as tables of ratios. No part of the product."""
