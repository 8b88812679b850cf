"""Haulage's own articles: one Markdown file for each problem that a person must act on, named by its id. Data only."""
