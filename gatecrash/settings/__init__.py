"""Settings: what gatecrash.toml and the command line say."""
