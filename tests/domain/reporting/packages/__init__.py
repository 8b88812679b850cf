"""What people ask of packages."""
