"""What people ask of packages: which there are and how they stand, where one is, what is in a version, what differs, and proof."""
