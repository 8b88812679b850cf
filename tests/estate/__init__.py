"""The made-up estate that pages and benchmarks show."""
