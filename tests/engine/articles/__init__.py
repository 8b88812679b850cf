"""Articles: reading them from every form, and what their text says about fixes."""
