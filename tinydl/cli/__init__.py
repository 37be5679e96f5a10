"""The command line: `train`, `predict`, `info`, `ops` and `check`, a module each."""
