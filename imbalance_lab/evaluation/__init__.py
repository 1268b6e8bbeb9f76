"""From stored predictions to scores: nothing here needs the model or the training data."""
