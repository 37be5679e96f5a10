"""How fast tinydl is beside NumPy, PyTorch, TensorFlow and JAX: `python -m benchmarks`."""
