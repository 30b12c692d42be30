"""What was seen, and what it means: records, latency, ledger, findings, verdict, writers."""
