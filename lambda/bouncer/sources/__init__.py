"""The sources of rules and settings, and the loader that compiles what they hold."""
