"""The one door to the shop: routes, balances, sheds and traces."""
