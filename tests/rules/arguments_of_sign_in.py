"""What the URLs of sign-in, sessions and second factors take: a part of arguments.py."""

from functools import partial

from allauth.mfa.models import Authenticator

from governance.staff.models import StaffSession
from tests.factories import PASSWORD
from tests.rules.given import Arguments, first_of

FACTOR = {"pk": partial(first_of, Authenticator)}
SESSION = {"pk": partial(first_of, StaffSession)}

ARGUMENTS_OF_SIGN_IN = {
    "/sign-in/": Arguments(
        query=("next", "ended"), sent={"username": "mira@example.com", "password": "x", "next": "/queue/"}
    ),
    "/sign-out/": Arguments(query=("next",)),
    "/password/": Arguments(
        sent={"present": PASSWORD, "new": "another long passphrase", "again": "another long passphrase"}
    ),
    "/sign-in/code/": Arguments(sent={"code": "000000"}),
    "/sign-in/passkey/": Arguments(sent={"credential": "{}", "next": "/queue/"}),
    "/second-factor/passkeys/add/": Arguments(sent={"credential": "{}", "name": "Laptop", "password": PASSWORD}),
    "/second-factor/passkeys/<int:pk>/remove/": Arguments(FACTOR, sent={"password": PASSWORD}),
    "/second-factor/": Arguments(),
    "/second-factor/add/": Arguments(sent={"code": "000000", "password": PASSWORD}),
    "/second-factor/codes/": Arguments(sent={"password": PASSWORD}),
    "/second-factor/remove/": Arguments(sent={"password": PASSWORD}),
    "/sessions/": Arguments(),
    "/sessions/<uuid:pk>/end/": Arguments(SESSION),
    "/sessions/end-others/": Arguments(),
}
