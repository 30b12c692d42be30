"""``gatecrash replay``: fire a finding's request again."""
