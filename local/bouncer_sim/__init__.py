"""AWS on one machine: embedded services, a fake SES, the worker between them, and clocks."""
