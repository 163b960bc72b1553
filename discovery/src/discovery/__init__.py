"""The service registry, speaking Eureka's REST protocol.

`registry` holds leases and their rules, `eureka` Eureka's JSON and XML, `replication` what replicas
send one another, `web` the REST interface, the dashboard and the metrics.
"""
