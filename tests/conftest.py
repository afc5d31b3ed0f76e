"""Settings of Hypothesis for all tests: no deadline, because a machine may be busy.

Where the variable `CI` is set, Hypothesis takes the same examples each time, so that a change does
not pass or fail by chance.
"""

from hypothesis import settings

settings.register_profile("unhurried", settings(deadline=None))
settings.load_profile("unhurried")
