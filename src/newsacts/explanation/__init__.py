"""Why a sentence got its label: how much each word moved the log-odds of each label.

Two methods, same values out. `occlusion` deletes one word at a time and runs with every model; `gradients`
(integrated gradients, by captum) reads PyTorch models from inside. `faithfulness` measures whether the words found
are the ones that the model uses. Left out: reasons in words. A weight says what this model looked at, not what is true.
"""

from newsacts.explanation.occlusion import occlude_words
from newsacts.explanation.values import Attribution, Explanation
from newsacts.explanation.words import find_words

__all__ = ["Attribution", "Explanation", "find_words", "occlude_words"]
