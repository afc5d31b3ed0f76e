"""The way of a queued job to SES: the gate, the ledger, the pace and the call."""
