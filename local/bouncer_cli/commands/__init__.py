"""The commands of `bouncer`, one module each: `add` declares its options, `run` runs it."""
