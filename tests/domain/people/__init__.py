"""Tests of users, roles, tokens and sessions."""
