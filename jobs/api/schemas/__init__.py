"""The shapes that the API answers in, read from the models: a module per resource."""
