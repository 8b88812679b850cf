"""From a few typed letters to the thing that is meant."""
