"""What every page leans on: the gate, sessions, rendering, and what a page is. Knows no page."""
