"""What travels between sites: typed messages, their codec, definitions and envelopes."""
