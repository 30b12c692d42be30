"""Where single requests are fired: a laboratory, or the target within its budget."""
