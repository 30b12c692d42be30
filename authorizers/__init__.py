"""The model of what stands at the gate: requests, answers, policies, limits, errors. No input or output."""
