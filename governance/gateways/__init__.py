"""Where restrictions are enforced: the check, the state of gateways, pushes to LiteLLM, and canary probes."""
