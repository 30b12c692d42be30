"""What was seen of a run: exchanges as they are counted, latencies, the ledger of decisions, all as a recording."""
