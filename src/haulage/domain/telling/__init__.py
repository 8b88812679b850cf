"""Which status messages somebody wants to see, and who is told of them outside: rules, cursors, views. Knows no wire, no mail."""
