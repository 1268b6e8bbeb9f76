"""The applications: the only package that knows Hydra."""
