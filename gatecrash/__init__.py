"""The front door: command line and configuration."""
