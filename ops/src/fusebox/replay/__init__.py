"""Plays the orders of a real shop on this one, and reconciles the stock of every product."""
