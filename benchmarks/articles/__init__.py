"""Reading a real knowledge base: what is understood of it, in which time and memory. The corpus is not part of it."""
