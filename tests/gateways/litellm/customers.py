"""Who LiteLLM takes the holders of keys for; in place of its database."""

from fastapi import Request
from litellm.proxy._types import ProxyException, UserAPIKeyAuth

KNOWN = {
    "sk-harbour": {"team_id": "team_harbour", "org_id": "org_quay", "user_id": "default_user_id"},
    "sk-quill": {"user_id": "user_quill"},
    "sk-lone": {},
}


async def recognise(request: Request, api_key: str) -> UserAPIKeyAuth:
    if api_key not in KNOWN:
        raise ProxyException(message="Unknown key.", type="auth_error", param="key", code=401)
    return UserAPIKeyAuth(api_key=api_key, **KNOWN[api_key])
