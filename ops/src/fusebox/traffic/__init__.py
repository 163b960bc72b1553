"""Steady customers who show how the shop fares while it is broken."""
