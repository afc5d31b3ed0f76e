"""AWS beside the way of a bounce: the intake's small client, and custom resources."""
