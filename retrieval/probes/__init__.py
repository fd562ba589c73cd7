"""Reading with the hidden states of the built-in chat model."""
