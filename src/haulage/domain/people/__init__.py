"""Who may sign in to this site's server, and what they may do there. Of one site alone: nothing here is told to any other."""
