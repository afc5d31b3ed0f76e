"""`bouncer doctor`: looks at an account and region before and after deploying; says what to do.

Every check only reads, stands alone and yields findings; one that can't be made is a finding too.
"""
