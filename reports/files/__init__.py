"""Files for other tools: JSON, CSV, JUnit, Markdown."""
