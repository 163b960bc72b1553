"""order-service: what users asked for, and how far each order has come.

Owns orders, the idempotency keys of their requests, and the facts it last knew of each product.
Publishes `order.placed` and `order.cancelled` (topic `orders`).
Consumes `stock.reserved`, `stock.rejected` (`catalog`), `product.changed` (`products`) and
`user.deleted` (`users`).
"""
