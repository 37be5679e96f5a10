"""The command line: `train`, `predict` and `info`, a module each."""
