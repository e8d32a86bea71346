"""Arrays: memory, designs, BLAS threads."""
