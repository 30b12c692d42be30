"""What AWS does before and after a function: the checks of a request, the event, the judgement of an answer."""
