"""Floor 3: the one door for writing. One function, one intent, one transaction, one audit message."""
