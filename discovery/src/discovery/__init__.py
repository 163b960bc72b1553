"""The service registry, speaking Eureka's REST protocol.

`models` what is registered, `registry` the rules of leases and overrides, `parsing` and `wire` the
shapes in and out, `pages` the answers kept ready, `api` HTTP.
"""
