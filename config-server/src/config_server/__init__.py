"""The central configuration, speaking Spring Cloud Config's protocol.

`backends` say where configuration is kept, `trees` finds what concerns an application in files,
`documents` reads these with care, `cipher` decrypts values, `rendering` turns all into YAML,
properties and JSON, `watch` notices changes, and `api` speaks HTTP.
"""
