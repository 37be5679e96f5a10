"""What runs beside a submission, in a process of its own.

`python -I` runs this folder as a program (`__main__.py`). Nothing here imports tinydl, knows a
reference or compares an answer: the program runs the submission, hands it arguments and sends back
what it returns. So whoever takes it over from within gains nothing that a plain answer would not
have given.

- `frames` are the messages on the two pipes, which the grader uses as well;
- `refusals` is the audit hook, which refuses in words what a submission has no business with;
- `limits`, `landlock` and `seccomp` ask the operating system to hold the process.

The audit hook is no boundary: it explains, and stops what is tried in plain Python, but code that
writes into memory (which NumPy permits) gets around it. The boundaries are the process, the limits
and, on Linux, Landlock for files and seccomp for processes, signals and the network.
"""
