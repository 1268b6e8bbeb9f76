"""``sweep=optuna``: a search for the best settings. Only what runs in a search imports Optuna."""
