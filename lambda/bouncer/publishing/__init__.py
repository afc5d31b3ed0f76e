"""Turns the documents that operators write into the revision and the pointer that are in force."""
