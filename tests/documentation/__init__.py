"""Every command, file and link of the documentation."""
