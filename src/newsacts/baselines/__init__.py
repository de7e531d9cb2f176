"""Simple classifiers to measure the real one against: keyword rules, TF-IDF, and frozen sentence vectors.

from newsacts.baselines.keywords import KeywordClassifier
KeywordClassifier().predict(["The mayor denied the claim."])[0].labels      # ('denial',)
"""
