"""Decisions about many accounts at once: ticked in a list, looked at, decided one by one by a worker, undone as one."""
