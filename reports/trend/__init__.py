"""Many runs: their history, the numbers that are followed, and since when one is worse."""
