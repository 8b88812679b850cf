"""Looking inside compressed containers and re-creating them byte for byte. Knows only bytes: no chunks, no manifests."""
