"""The load engine, without Locust: what is due when, who fires it, and how a search for capacity goes on."""
