"""The embedded gateway: the real wire API in front of real Lambda handlers, on this machine."""
