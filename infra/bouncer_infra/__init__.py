"""Deploys the auto-bouncer with CDK: one construct for each concern, and one that joins them."""
