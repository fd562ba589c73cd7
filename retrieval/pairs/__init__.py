"""Reading two texts together: a claim, or a question, beside what may hold it."""
