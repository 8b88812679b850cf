"""What disks do to a site: damage, want of space, errors; in steps, and under real servers."""
