"""user-service: who may come in.

Owns accounts, their passwords, and the key that signs tokens; publishes the public half (JWKS).
Publishes `user.deleted` (topic `users`) and consumes nothing; asks order-service for orders.
"""
