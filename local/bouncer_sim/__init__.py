"""AWS on one machine: embedded services and the event source mapping."""
