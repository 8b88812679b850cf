"""Deaths at every durable step: a slice of them always, all with HAULAGE_LONG=1."""
