"""Training: the LightningModule, the DataModule, schedules, loggers and callbacks."""
