"""How fast the product is, against floors that import nothing of it. `python -m tests.bench --help`."""
