"""Integration tests run the real libraries on tiny models."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def use_one_thread() -> None:
    """Threads cost more than they give on matrices of sixteen columns."""
    import torch

    torch.set_num_threads(1)
