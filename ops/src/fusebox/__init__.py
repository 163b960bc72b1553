"""The command line behind make: starts the shop, breaks it and proves it."""
