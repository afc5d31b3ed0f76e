"""Where rules and settings come from."""
