"""Campaigns: accounts that act as one.

A harvest is spread thinly, so that no account of it stands out; what it cannot avoid is that its accounts have things
in common. The way from accounts to campaigns, each step in a file of its own:

1. `traits`: what an account has that others may have too (wrappers, addresses, a card), as rows that find each other.
2. `links`: how strongly two accounts are tied, kind by kind, against what chance would give them in common.
3. `groups`: accounts densely tied by several kinds at once. An agency, a university or the users of a framework may
   well be a group.
4. `pooling`: a group whose usage, added up as if it were one account's, is a harvest is a campaign.

Everything here is pure.
"""
