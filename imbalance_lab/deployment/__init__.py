"""A trained model at work: predictions for files of any size, exported graphs, a server, a watch over new data."""
