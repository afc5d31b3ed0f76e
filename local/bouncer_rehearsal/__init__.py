"""Rehearses a whole deployment on this machine: real CDK, emulated AWS, mail in, bounce out."""
