"""HTTP/1.1 in and out: bytes at its edges, requests and answers towards the rules."""
