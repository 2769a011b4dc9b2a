"""Webhooks by the Standard Webhooks specification: every change is sent to the registered addresses."""
