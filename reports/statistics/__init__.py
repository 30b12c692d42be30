"""Methods: intervals, block bootstrap, change points, and which direction of a number is better."""
