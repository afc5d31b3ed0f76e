"""The words of the `bouncer` command, a module each: `add` declares it, `run` does it."""
