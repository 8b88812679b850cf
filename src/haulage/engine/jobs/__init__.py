"""The durable job engine behind one small interface."""
