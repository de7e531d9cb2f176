"""newsacts inside other libraries: scikit-learn (`interop.estimator`) and spaCy (`interop.spacy_component`)."""
