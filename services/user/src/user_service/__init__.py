"""user-service: who may come in.

Owns accounts, their passwords, and the key that signs tokens; publishes the public half (JWKS).
Publishes `user.deleted` (topic `users`); asks order-service for orders.
Keeps the audit trail, for which it consumes `audit.recorded` (`audit`).
"""
