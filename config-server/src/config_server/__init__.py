"""The central configuration, speaking Spring Cloud Config's protocol.

`backends` say where configuration is kept, `files` finds, parses and renders it, `cipher` decrypts
values, `notify` announces changes, and `http` is the interface.
"""
