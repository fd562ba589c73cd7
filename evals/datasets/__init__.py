"""Converters of public data sets into the BEIR layout, one small module a family.

Each function takes the folder of a set as its makers ship it and gives a `RetrievalSet`.
"""
