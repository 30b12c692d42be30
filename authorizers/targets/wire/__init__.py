"""The lean path to AWS: signed requests over kept connections, with next to no work for each."""
