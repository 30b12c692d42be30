"""What stands at the gate: requests, decisions, the contract between them, and targets that answer."""
