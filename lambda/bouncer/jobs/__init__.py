"""Queued bounces as values."""
