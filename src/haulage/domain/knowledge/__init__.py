"""The knowledge base of a site: articles on their shelves, what is derived from them, searching them, and diagnosis."""
