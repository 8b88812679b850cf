"""Stories lived in a real browser over one small hierarchy of real servers."""
