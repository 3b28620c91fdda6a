"""What the machine can do at best: servers, writers and clients that import nothing of the product."""
