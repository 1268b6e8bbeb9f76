"""Real imbalanced tables: what people would use instead, measured beside our default run on the same rows."""
