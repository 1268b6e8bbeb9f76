"""Several runs trained as one: their nets are stacked, everything else of each run stays its own.

Every run has its own Trainer, optimizer, scheduler, loss, callbacks and files, and goes through its epochs as it would
alone, with one exception: where its Trainer would take the steps of an epoch (`epoch.StackedSteps`), it waits until the
other runs are there too. Then one more Trainer drives one LightningModule, the `Stack`, through these steps. Each of
them is one forward and one backward pass of all nets (`net.StackedNet`: stacked weights, batched products), and a step
of each run's own optimizer on its own slice of the weights. Afterwards every run goes on alone: it validates, saves,
and maybe stops early or fails, and then it is simply not there when the next epoch begins.

So a run's directory, checkpoints and messages come from the code that a single run uses.
"""
