"""Fuzzing: firing every kind of attack, judging the answers, and proving each finding by its smallest request."""
