"""Reckoning with numbers, units, money and dates as people write them, in Chinese and English."""
