"""A real vLLM server on the CPU: made, put to the contract of `ChatModel`, timed, stopped."""
