"""How sure the network is."""
