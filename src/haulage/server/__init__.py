"""Floor 4: the site process: HTTP for sites and administrators, the table of jobs, the lifecycle."""
