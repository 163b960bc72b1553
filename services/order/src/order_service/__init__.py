"""order-service: what users asked for, and how far each order has come.

Owns orders, the idempotency keys of their requests, and a copy of the product facts it has heard.
Publishes `order.placed` and `order.cancelled` (topic `orders`).
Consumes `stock.reserved`, `stock.rejected` (`catalog`), `product.changed` (`products`) and
`user.deleted` (`users`).
"""
