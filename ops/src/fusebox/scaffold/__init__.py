"""`new`: writes a service of the house into the clone, with its tests and its lines elsewhere."""
