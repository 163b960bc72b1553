"""catalog-service: what there is to buy, at what price, and how many are left.

Owns products, their stock, and the reservation of each order.
Publishes `stock.reserved`, `stock.rejected` (topic `catalog`) and `product.changed` (`products`).
Consumes `order.placed` and `order.cancelled` (`orders`).
"""
