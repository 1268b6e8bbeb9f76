"""Training: the LightningModule, the DataModule, schedules, loggers, callbacks and strategies."""
