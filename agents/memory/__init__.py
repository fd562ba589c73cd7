"""Memory: what of a conversation, and of what a user said before, is put before the model."""
