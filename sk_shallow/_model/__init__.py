"""The network and the function that training minimises."""
