"""Who is governed: organisations, API accounts, their keys, licences and the terms they accepted."""
