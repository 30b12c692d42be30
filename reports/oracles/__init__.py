"""What is right: rules, their checks on a ledger, policies and rights, findings, and the baseline of known ones."""
