"""Keys, signatures, the TUF root, enrolment tokens, certificates."""
