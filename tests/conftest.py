"""Fixtures: the tiny world of `tests.tiny`, made once a session."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from newsacts.checkpoint import Checkpoint
from tests import tiny

# The test command gives the same answer every time, however busy the machine; HYPOTHESIS_PROFILE=explore draws new
# examples.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", derandomize=False, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

# No test may reach the hub, not even to ask whether a file has changed.
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Graphs that tests build stay out of the user's cache; processes that tests start find them there too."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["NEWSACTS_CACHE"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A checkpoint of random weights, mean pooling, default scheme. Read only."""
    return tiny.write_tiny_checkpoint(tmp_path_factory.mktemp("tiny") / "checkpoint")


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model folder of random weights. Read only."""
    return tiny.write_base(tmp_path_factory.mktemp("base") / "model")
