"""Profiles: what an account did with a model in an hour, as counters and sketches that merge.

Intake appends *parts*, one a batch; nothing is read or changed then, so batches never wait for each other. Parts of
the same hour are folded into one before the account is scored. Making, folding and reading are the same merge, which
takes parts in any order and any grouping to the same result, but for what trimming takes away:

| column | holds | merged by | exact? |
|---|---|---|---|
| requests, tokens, squares | sums | adding | yes |
| tallies | counts by kind and bucket | adding | yes; medians to 2.2 % |
| distincts | HyperLogLog registers | the greater | 2.3 % standard error |
| templates | the commonest templates and their uses | adding, 48 kept | an hour's rarest beyond 48 are lost |
| sketches | a sample of the prompts' sketches | 32 kept by a hash | a fair sample of distinct prompts |
| gaps | time between requests, squared too | adding, and what lies between | yes, where parts do not overlap |

docs/profiles.md has the measured errors. Everything here is pure.
"""
