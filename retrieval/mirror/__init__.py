"""A collection of Milvus Lite held in memory for reading: docs/decisions/013-mirror.md."""
