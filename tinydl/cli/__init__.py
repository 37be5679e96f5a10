"""The command line: `train`, `predict`, `explain`, `info`, `ops` and `check`, a module each."""
