"""AWS without the SDK: the small client of the intake."""
