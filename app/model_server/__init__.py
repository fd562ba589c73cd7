"""The embedded chat model: a child process that speaks the OpenAI protocol on loopback."""
