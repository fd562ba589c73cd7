"""Guards: each gives a verdict on one sentence and its evidence."""
