"""Data: samples, targets, scaling, splits."""
