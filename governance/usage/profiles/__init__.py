"""Profiles: what an account did with a model, as counters by the hour and sketches by the week.

- `merging`: the columns and tables, and how each column is merged
- `build`: deltas from the events of a batch
- `compaction`: deltas merged into hourly profiles and weekly sketches
- `features`, `content`, `rhythm`: what detectors see of an account, from its profiles
- `answer_samples`: how answers are met again
- `histograms`, `hyperloglog`, `top_k`, `bottom_k`: the sketches; `entries`: how they are stored as bytes

| column | holds | merged by | error |
|---|---|---|---|
| requests, tokens, squares | sums | adding | none |
| slots | which ten minutes of the hour had a request | either had one | none |
| gaps | time between requests, and its square | adding, and the time between deltas | none unless deltas overlap |
| histograms | counts by kind and bucket | adding | none; medians 2.2 % |
| distinct_counts | HyperLogLog registers | the greater | 3.25 % standard error |
| templates, openings, closings, addresses | those used most | adding, 48 kept | beyond 48 a week the rarest are lost |
| sketches | a sample of the prompts' MinHashes | 128 with the smallest hash | a uniform sample of distinct prompts |
| answers | samples of runs of answers, of first questions, and of reasoning | 128 with the smallest hash | as above |
| shingles | a sample of their runs of four words | 128 with the smallest hash | a uniform sample of distinct runs |

docs/profiles.md says more. Everything here is pure.
"""
