"""Tools: what an answer, a user or a script may have done by name, with checked arguments."""
