"""Runtimes that turn token batches into logits. One method each; the contract is in `base`."""
