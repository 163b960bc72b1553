"""The central configuration, speaking Spring Cloud Config's protocol.

`documents` reads YAML with care, `repository` finds what concerns an application, `rendering`
turns it into YAML, properties and JSON, `api` HTTP.
"""
