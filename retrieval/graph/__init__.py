"""Entities and relations of a collection, kept in Milvus beside its chunks."""
