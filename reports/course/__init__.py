"""How a run went over time: a spike, drift, memory, heat maps, families of attacks."""
