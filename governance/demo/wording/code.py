"""What passes between a coding agent and the model: files, instructions, tool results."""

from governance.demo.grammar import Grammar
from governance.demo.wording.words import WORDS

CODE = Grammar(
    {
        "system": """
            You are a coding agent working in the repository {repository} ({stack}). Use the tools to read \
                files before you change them, keep the style of the file, run the tests after every \
                change, and stop when they pass. Never touch {never}.
            Agent mode. Workspace: /workspace/{repository}. Stack: {stack}. Plan in one line, then act. \
                Edits must apply cleanly; do not reformat. Ask before deleting anything. Off limits: \
                {never}.
        """,
        "repository": "{noun}-{part} | {noun}-{part} | {noun}{part} | {part}-{noun}",
        "noun": """
            billing | orders | fleet | ledger | parcel | roster | tariff | clinic | catalogue | quota
            invoice | shelf | depot | ticket
        """,
        "part": """
            api | worker | web | sync | import | gateway | store | report | mailer | cli | search | auth
        """,
        "stack": """
            Python, FastAPI, PostgreSQL | TypeScript, Node 22 | Go 1.24 | Rust, axum | Kotlin, Spring
            PHP, Laravel | Ruby on Rails
        """,
        "never": """
            migrations | .env files | the lock file | vendored code | generated clients | the deploy folder
        """,
        "instruction": """
            {bug} Find the cause in {path} and fix it with a test.
            {bug} I only see it {condition}. Please don't change the public signature of {function}.
            Add {feature} to {function} in {path}. Follow what {function} does, with tests for {edge} and \
                {edge}.
            Refactor {path}: {function} has grown to {60-400} lines. Split out {noun} handling, keep \
                behaviour, no new dependencies.
            Write tests for {function} in {path}. Cover {edge}, {edge} and {edge}. Use the factories in \
                tests/{noun}.
            Upgrade {path} to the new {noun} client: {function} must pass {field} and {field}; the old \
                argument {field} goes away on {day_of_month}.
            Review this diff before I merge:⏎{snippet}⏎Is {edge} handled? What would you call {function} \
                instead?
        """,
        "bug": """
            {function} returns {wrong} when {field} is {edge}.
            Since {weekday} the {noun} job dies with "{error}".
            The {noun} page takes {2-40} seconds for customers with more than {200-9000} {noun}s.
            CI fails on {path}:{10-400} with "{error}".
            Two workers sometimes process the same {noun}, see {path}.
            {field} is off by {1-60} {unit} for users in {city}.
        """,
        "condition": """
            with more than {2-64} workers | on the staging cluster | after {clock} | with {edge}
            when {field} is cached
        """,
        "feature": """
            pagination by {field} | a retry with backoff | filtering on {field} | an audit log line
            a dry-run flag | a limit of {10-500} a minute
        """,
        "wrong": """
            None | an empty list | the {noun} of another tenant | {field} twice | a negative {field}
            stale data
        """,
        "edge": """
            empty input | a leap day | {field} missing | duplicate {field} | a closed {noun} | a timeout
            unicode in {field} | a zero {field}
        """,
        "error": """
            KeyError: '{field}' | connection reset by peer | deadlock detected | context deadline exceeded
            cannot read properties of undefined (reading '{field}')
            expected {2-90}, got {2-90} | index out of range | permission denied for table {noun}
            invalid token at line {2-300}
        """,
        "function": "{verb}_{noun} | {verb}_{noun}s | {verb}_{noun}_{field} | {noun}_for_{field}",
        "verb": """
            load | merge | close | assign | price | export | cancel | reserve | match | expire | resend
            split
        """,
        "field": """
            tenant_id | due_at | amount | currency | status | email | zone | quantity | revision | priority
            locale | discount
        """,
        "unit": "hours | cents | rows | days | pixels",
        "path": """
            src/{noun}/{part}.{ext} | {part}/{noun}_{verb}.{ext} | app/{noun}s/{verb}.{ext}
            internal/{part}/{noun}.{ext}
        """,
        "ext": "py | ts | go | rs | kt",
        "snippet": """
            def {function}({field}, {field}=None):⏎    rows = store.{verb}({field}={field})⏎    if not \
                rows:⏎        return {2-90}⏎    return [row.{field} for row in rows if row.{field} > \
                {2-900}]
            export async function {function}({field}: string) {⏎  const {noun} = await \
                {part}.{verb}({field}, { limit: {10-500} });⏎  return {noun}.filter((x) => x.{field} !== \
                "{colour}");⏎}
            func {function}(ctx context.Context, {field} string) error {⏎    for attempt := 0; attempt < \
                {2-9}; attempt++ {⏎        if err := {part}.{verb}(ctx, {field}); err == nil \
                {⏎            return nil⏎        }⏎    }⏎    return err{^noun}⏎}
        """,
        "plan": """
            I'll read {path} first.
            The cause is in {function}: {field} is read before the lock. I'll change {path} and add a test \
                for {edge}.
            Running the tests for {noun} now.
            {path} also calls {function}; checking that caller before editing.
        """,
        "tool_result": """
            $ run tests {path}⏎{2-140} passed, {1-9} failed in {1-40}.{10-99}s⏎FAILED {function}: {error}
            --- {path}⏎{snippet}
            $ search {function}⏎{path}:{10-400}⏎{path}:{10-900}⏎{path}:{10-300}
            $ run tests⏎{20-900} passed in {1-90}.{10-99}s
            edit applied to {path} ({2-40} lines changed). Linter: {field} is unused at line {10-400}.
        """,
    },
    WORDS,
)
