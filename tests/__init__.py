"""The tests; folders mirror src/haulage."""
