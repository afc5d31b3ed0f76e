"""A fake SES on loopback: SendBounce as documented, and the DSN as a message."""
