"""The parts of the auto-bouncer that run on an operator's machine: the `bouncer` command."""
