"""The command-line programs; the only package that imports Hydra."""
