"""The search for the best settings by the validation part: what is searched, its trials, what came of them."""
