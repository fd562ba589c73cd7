"""A split by name that is the same in every process and on every machine."""

_BASE, _PRIME = 131, 1_000_000_007


def stable_hash(text: str) -> int:
    """0…1,000,000,006; Python's own differs from process to process."""
    value = 0
    for char in text:
        value = (value * _BASE + ord(char)) % _PRIME
    return value
