"""From labelled sentences and a config to a checkpoint. Start at `training.run.train`."""
