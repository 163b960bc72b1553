"""The service registry, speaking Eureka's REST protocol.

`models` what is registered, `registry` the rules of leases and overrides, `journal` what happened,
`parsing` and `wire` the shapes in and out, `pages` the answers kept ready, `replication` what
replicas tell one another, `outbox` what one has yet to be told, `peers` and `replicas` who they
are and how they are told, `cluster` a client's change here and there, `api` and `dashboard` HTTP.
"""
