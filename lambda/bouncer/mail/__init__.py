"""A received mail as values: the message, its header text, its addresses."""
