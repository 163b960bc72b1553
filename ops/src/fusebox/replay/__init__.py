"""Plays the orders of a real shop on this one, and reckons what must be left of each product."""
