"""The one language of guards and templates: a typed tree, and closures made from it."""
