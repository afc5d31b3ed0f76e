"""Jobs: queued bounces as values, as JSON, and the reference that names them."""
