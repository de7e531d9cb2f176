"""Peers and newsacts side by side: speed in one run on the same sentences, accuracy, memory, cold start, and limits.

    newsacts bench --quick
    python benchmarks/run.py --texts sentences.jsonl --data dev.jsonl

Timings are medians over rounds in which all contenders take turns, so that a busy minute of the machine hits all alike.
"""
