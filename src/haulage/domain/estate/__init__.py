"""Sites and distribution points: who is where."""
