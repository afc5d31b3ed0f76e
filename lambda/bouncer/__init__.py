"""The parts of the auto-bouncer that run in AWS Lambda."""
