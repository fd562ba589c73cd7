"""Which exceptions mean that there was not enough memory, whatever their class: libraries in C++
say so in words. Pure."""

_WORDS = (
    "alloc",  # bad_alloc, can't alloc, cannot allocate memory
    "failed to map segment",
    "insufficient memory",
    "out of memory",
    "not enough memory",
)


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether the error, or what it came from, is a lack of memory."""
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None:
            return False
        said = str(seen).lower()
        if isinstance(seen, MemoryError) or any(words in said for words in _WORDS):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
