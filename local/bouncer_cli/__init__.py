"""The `bouncer` command, which runs on an operator's machine."""
