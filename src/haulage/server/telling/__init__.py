"""Telling others of status messages: webhooks by HTTP, people by mail. What is told to whom, and what was, domain/telling knows."""
