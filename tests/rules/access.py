"""Who reaches which address: for every pattern of the URL map and every method, what it takes.

Written by hand beside the URLs, so that a view that asks for too little is noticed. A new URL is a new row. Of the
admin's pages, which are all made alike, test_access.py knows the rule.
"""

from collections.abc import Mapping
from typing import Final

from governance.staff import roles

# Instead of permissions: what anybody reaches, and what everybody reaches who is signed in.
ANYBODY: Final = None
SIGNED_IN: Final[tuple[str, ...]] = ()

Access = Mapping[str, tuple[str, ...] | None]


def _read(*permissions: str) -> Access:
    return {"GET": permissions}


def _act(*permissions: str) -> Access:
    return {"POST": permissions}


def _form(*permissions: str) -> Access:
    return {"GET": permissions, "POST": permissions}


_WORK: Final = _act(roles.WORK_CASES)
_WEBHOOK: Final = _act(roles.CHANGE_WEBHOOKS)
_PARTNER: Final = _act(roles.VIEW_PARTNERS, roles.CHANGE_PARTNERS)
_USER: Final = _act(roles.CHANGE_USERS)

ACCESS: Final[Mapping[str, Access]] = {
    "/": _read(roles.VIEW_CASES),
    "/queue/": _read(roles.VIEW_CASES),
    "/queue/views/save/": _act(roles.VIEW_CASES),
    "/queue/views/<uuid:pk>/remove/": _act(roles.VIEW_CASES),
    "/inbox/": _read(roles.VIEW_CASES),
    "/inbox/read/": _act(roles.VIEW_CASES),
    "/colleagues/": _read(roles.WORK_CASES),
    "/restrictions/": _read(roles.VIEW_ENFORCEMENT),
    "/restrictions/<int:number>/lift/": _act(roles.VIEW_ENFORCEMENT, roles.LIFT_RESTRICTIONS),
    "/overview/cases/": _read(roles.VIEW_CASES),
    "/overview/<slug:name>.csv": _read(roles.VIEW_TEAM),
    "/log/": _read(roles.VIEW_LOG),
    "/log/export/": _act(roles.VIEW_LOG),
    "/log/<int:number>/": _read(roles.VIEW_LOG),
    "/log/<int:number>/proof/": _read(roles.VIEW_LOG),
    "/log/<int:number>/leaf/": _read(roles.VIEW_LOG),
    "/settings/": _read(roles.VIEW_SETTINGS),
    "/settings/due/": _act(roles.CHANGE_DUE_TARGETS),
    "/settings/reasons/": _act(roles.CHANGE_REASONS),
    "/settings/history/": _read(roles.VIEW_SETTINGS),
    "/settings/users/": _read(roles.VIEW_USERS),
    "/settings/users/add/": _USER,
    "/settings/users/<uuid:pk>/role/": _USER,
    "/settings/users/<uuid:pk>/shut-out/": _USER,
    "/settings/users/<uuid:pk>/end-sessions/": _USER,
    "/settings/users/<uuid:pk>/remove-factor/": _USER,
    "/settings/users/<uuid:pk>/readmit/": _USER,
    "/settings/privacy/": _read(roles.VIEW_PRIVACY),
    "/settings/privacy/hold/": _act(roles.VIEW_PRIVACY, roles.SET_HOLDS),
    "/settings/privacy/hold/<uuid:pk>/lift/": _act(roles.VIEW_PRIVACY, roles.LIFT_HOLDS),
    "/settings/privacy/erase/": _form(roles.VIEW_PRIVACY, roles.ERASE_PEOPLE),
    "/settings/keys/": _read(roles.VIEW_SERVICE_KEYS),
    "/settings/keys/issue/": _act(roles.CHANGE_SERVICE_KEYS),
    "/settings/keys/<uuid:pk>/replace/": _act(roles.CHANGE_SERVICE_KEYS),
    "/settings/keys/<uuid:pk>/end-previous/": _act(roles.CHANGE_SERVICE_KEYS),
    "/settings/keys/<uuid:pk>/revoke/": _act(roles.CHANGE_SERVICE_KEYS),
    "/settings/partners/": _read(roles.VIEW_PARTNERS),
    "/settings/partners/add/": _PARTNER,
    "/settings/partners/<uuid:pk>/": _read(roles.VIEW_PARTNERS),
    "/settings/partners/<uuid:pk>/token/": _PARTNER,
    "/settings/partners/<uuid:pk>/key/": _PARTNER,
    "/settings/partners/<uuid:pk>/revoke/": _PARTNER,
    "/shares/<uuid:pk>/": _read(roles.VIEW_SHARES),
    "/shares/<uuid:pk>/approve/": _act(roles.VIEW_SHARES, roles.APPROVE_SHARES),
    "/shares/<uuid:pk>/decline/": _act(roles.VIEW_SHARES, roles.PROPOSE_SHARES),
    "/shares/<uuid:pk>/retract/": _act(roles.VIEW_SHARES, roles.PROPOSE_SHARES),
    "/calibration/drift/": _read(roles.VIEW_CALIBRATIONS),
    "/policy/": _read(roles.VIEW_POLICIES),
    "/policy/propose/": _act(roles.PROPOSE_POLICIES),
    "/policy/<int:pk>/live/": _form(roles.APPROVE_POLICIES),
    "/policy/<int:pk>/retire/": _act(roles.PROPOSE_POLICIES),
    "/policy/off/": _act(roles.SWITCH_POLICIES),
    "/policy/on/": _act(roles.SWITCH_POLICIES),
    "/campaigns/": _read(roles.VIEW_CASES),
    "/campaigns/<uuid:pk>/": _read(roles.VIEW_CASES),
    "/campaigns/<uuid:pk>/share/": _read(roles.VIEW_SHARES),
    "/campaigns/<uuid:pk>/share/propose/": _act(roles.VIEW_SHARES, roles.PROPOSE_SHARES),
    "/campaigns/<uuid:pk>/split/": _WORK,
    "/campaigns/<uuid:pk>/merge/": _form(roles.WORK_CASES),
    "/cases/<uuid:pk>/campaign/preview/": _WORK,
    "/cases/<uuid:pk>/campaign/decide/": _WORK,
    "/bulk/": _form(roles.WORK_CASES),
    "/bulk/decide/": _WORK,
    "/bulk/<uuid:pk>/": _read(roles.VIEW_CASES),
    "/bulk/<uuid:pk>/undo/": _act(roles.LIFT_RESTRICTIONS, roles.WORK_CASES),
    "/cases/next/": _form(roles.VIEW_CASES),  # who may not work on cases is only led to it
    "/cases/<uuid:pk>/": _read(roles.VIEW_CASES),
    "/cases/<uuid:pk>/claim/": _WORK,
    "/cases/<uuid:pk>/release/": _WORK,
    "/cases/<uuid:pk>/hold/": _WORK,
    "/cases/<uuid:pk>/resume/": _WORK,
    "/cases/<uuid:pk>/assign/": _WORK,
    "/cases/<uuid:pk>/escalate/": _WORK,
    "/cases/<uuid:pk>/answer/": _WORK,
    "/cases/<uuid:pk>/skip/": _WORK,
    "/cases/<uuid:pk>/viewers/": _read(roles.VIEW_CASES),
    "/cases/<uuid:pk>/note/": _WORK,
    "/cases/<uuid:pk>/excerpts/": _act(roles.VIEW_CASES),
    "/cases/<uuid:pk>/evidence/": _form(roles.VIEW_CASES, roles.VIEW_EVIDENCE),
    "/evidence/<uuid:pk>/download/": _act(roles.VIEW_CASES, roles.VIEW_EVIDENCE),
    "/cases/<uuid:pk>/reopen/": _WORK,
    "/cases/<uuid:pk>/decide/": _WORK,
    "/cases/<uuid:pk>/undo/": _act(roles.LIFT_RESTRICTIONS, roles.WORK_CASES),
    "/cases/<uuid:pk>/restrictions/<int:number>/lift/": _act(roles.LIFT_RESTRICTIONS),
    "/accounts/": _read(roles.VIEW_ACCOUNTS),
    "/accounts/<external:external_id>/": _read(roles.VIEW_ACCOUNTS),
    "/accounts/<external:external_id>/explanation/": _read(roles.VIEW_ACCOUNTS),
    "/accounts/<external:external_id>/asking/": _read(roles.VIEW_ACCOUNTS),
    "/accounts/<external:external_id>/open/": _act(roles.VIEW_ACCOUNTS, roles.WORK_CASES),
    "/accounts/<external:external_id>/watch/": _act(roles.VIEW_ACCOUNTS, roles.WATCH_ACCOUNTS),
    "/accounts/<external:external_id>/unwatch/": _act(roles.VIEW_ACCOUNTS, roles.WATCH_ACCOUNTS),
    "/organisations/<external:external_id>/": _read(roles.VIEW_ACCOUNTS),
    "/search/": _read(roles.VIEW_ACCOUNTS),
    "/enforcement/": _read(roles.VIEW_ENFORCEMENT),
    "/enforcement/alarm/": _read(roles.VIEW_ENFORCEMENT),
    "/enforcement/missing/": _read(roles.VIEW_ENFORCEMENT),
    "/enforcement/lost/<int:pk>/keep/": _act(roles.VIEW_ENFORCEMENT, roles.LIFT_RESTRICTIONS),
    "/enforcement/lost/<int:pk>/drop/": _act(roles.VIEW_ENFORCEMENT, roles.LIFT_RESTRICTIONS),
    "/enforcement/webhooks/": _read(roles.VIEW_WEBHOOKS),
    "/enforcement/webhooks/add/": _WEBHOOK,
    "/enforcement/webhooks/<uuid:pk>/": _read(roles.VIEW_WEBHOOKS),
    "/enforcement/webhooks/<uuid:pk>/rotate/": _WEBHOOK,
    "/enforcement/webhooks/<uuid:pk>/switch/": _WEBHOOK,
    "/enforcement/webhooks/<uuid:pk>/test/": _WEBHOOK,
    "/enforcement/webhooks/<uuid:pk>/replay/": _WEBHOOK,
    "/enforcement/webhooks/<uuid:pk>/remove/": _WEBHOOK,
    "/sign-in/": {"GET": ANYBODY, "POST": ANYBODY},
    "/sign-out/": _act(*SIGNED_IN),
    "/password/": _form(*SIGNED_IN),
    "/sign-in/code/": {"GET": ANYBODY, "POST": ANYBODY},
    "/sign-in/passkey/": {"GET": ANYBODY, "POST": ANYBODY},
    "/second-factor/passkeys/add/": _form(*SIGNED_IN),
    "/second-factor/passkeys/<int:pk>/remove/": _act(*SIGNED_IN),
    "/second-factor/": _read(*SIGNED_IN),
    "/second-factor/add/": _form(*SIGNED_IN),
    "/second-factor/codes/": _act(*SIGNED_IN),
    "/second-factor/remove/": _act(*SIGNED_IN),
    "/sessions/": _read(*SIGNED_IN),
    "/sessions/<uuid:pk>/end/": _act(*SIGNED_IN),
    "/sessions/end-others/": _act(*SIGNED_IN),
    "/words/": _read(*SIGNED_IN),
    "/problems/": {"GET": ANYBODY},
    "/api-reference/": _read(*SIGNED_IN),
    "/api-reference/openapi.json": _read(*SIGNED_IN),
    "/health/": {"GET": ANYBODY},
}
