"""Webhooks by the Standard Webhooks specification: every change told to whoever wants to know."""
