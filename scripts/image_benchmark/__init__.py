"""Imbalanced images: every method beside cross-entropy and post-hoc logit adjustment, over subsets of the data."""
