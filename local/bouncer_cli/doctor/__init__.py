"""`bouncer doctor`: examines an account and region before and after deploying.

Every check only reads, depends on no other check and yields findings; a check that can't be made
is a finding too.
"""
