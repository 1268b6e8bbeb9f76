"""A model behind HTTP, on LitServe: JSON rows, arrays and image files in, probabilities and decisions out."""
