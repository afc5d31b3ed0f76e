"""The report to operators: its counts from the journal, what waits now, and its text."""
