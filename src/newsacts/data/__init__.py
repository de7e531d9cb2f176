"""Labelled data: reading it from files and datasets, splitting it, and looking for leaks in it."""
