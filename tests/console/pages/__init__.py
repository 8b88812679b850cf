"""Pages about what there is, each over a made-up estate."""
