"""Model weights: what there is, and how it is fetched and verified."""
