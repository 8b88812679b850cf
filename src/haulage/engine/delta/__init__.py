"""Bytes against bytes: encoders and their levels, common prefixes, fine fingerprints. Must not know chunks, files or parcels."""
