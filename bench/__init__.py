"""Measurements: each command writes a JSON file to bench/results, which the docs quote."""
