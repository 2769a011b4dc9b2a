"""Profiles: what an account did with a model, as counters by the hour and sketches by the week that merge.

Intake appends *parts*, one a batch; nothing is read or changed then, so batches never wait for each other. Before an
account is scored its parts are folded: their counters into the row of their hour, their sketches into that of their
week. Making, folding and reading are the same merge, which takes parts in any order and any grouping to the same
result, but for what trimming takes away:

| column | holds | merged by | exact? |
|---|---|---|---|
| requests, tokens, squares | sums | adding | yes |
| gaps | time between requests, squared too | adding, and what lies between | yes, where parts do not overlap |
| histograms | counts by kind and bucket | adding | yes; medians to 2.2 % |
| distinct_counts | HyperLogLog registers | the greater | 3.25 % standard error |
| templates, addresses | the commonest and their uses | adding, 48 kept | a week's rarest beyond 48 are lost |
| sketches | a sample of the prompts' sketches | 128 kept by a hash | a fair sample of distinct prompts |
| shingles | a sample of their runs of four words | 128 kept by a hash | a fair sample of distinct runs |

docs/profiles.md says more. Everything here is pure.
"""
