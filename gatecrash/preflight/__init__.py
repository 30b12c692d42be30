"""What is asked before anything is fired: permission, prices, AWS's quotas; and the doctor's checks."""
