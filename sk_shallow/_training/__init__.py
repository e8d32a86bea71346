"""From a plan and first weights to fitted ones."""
