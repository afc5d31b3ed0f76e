"""Hypothesis for all tests: no deadline, as a machine may be busy.

Where `CI` is set, Hypothesis takes the same examples each time: a landing is no lottery.
"""

from hypothesis import settings

settings.register_profile("unhurried", settings(deadline=None))
settings.load_profile("unhurried")
