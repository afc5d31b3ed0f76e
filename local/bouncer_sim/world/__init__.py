"""The simulated world: the deployed functions in a simulated AWS, with faults at every call."""
