"""Floor 0: identifiers, clock, errors, files, settings, log. Knows nothing of software distribution."""
