from hypothesis import settings

settings.register_profile(
    "sk_shallow", derandomize=True, deadline=None, max_examples=25
)
settings.load_profile("sk_shallow")
