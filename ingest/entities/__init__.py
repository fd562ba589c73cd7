"""Entities and relations of chunks, by rules. Knows texts; nothing of how they are kept."""
