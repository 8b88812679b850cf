"""Shipments: what a site wants, holds, fetches and serves."""
