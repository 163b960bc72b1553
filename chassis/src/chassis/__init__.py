"""What every process of Fusebox needs, and no business noun.

The core is plain objects and background threads that publish immutable snapshots; two thin
adapters, `flask_adapter` and `aiohttp_adapter`, put it under the two web frameworks.
"""
