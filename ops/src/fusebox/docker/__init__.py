"""The shop in containers: the same verbs, another driver."""
