"""Articles of a knowledge base: what one is, reading them from the forms they come in, and what their text says about fixes."""
