"""Figures for the pages, one module for each kind of result: what it writes (`RENDERERS`) and where (`PAGES`)."""
