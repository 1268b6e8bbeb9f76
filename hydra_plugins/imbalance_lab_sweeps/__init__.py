"""Plugins of Hydra: sweepers and launchers. Hydra imports every module here at each start, so none imports torch."""
