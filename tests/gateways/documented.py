"""The configurations of docs/gateways.md, so that what is documented is what is tested."""

import re
from pathlib import Path
from textwrap import indent

from django.conf import settings

GATEWAYS = settings.BASE_DIR / "docs" / "gateways.md"
LITELLM = settings.BASE_DIR / "docs" / "litellm.md"
MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"


def block(document: Path, heading: str, language: str) -> str:
    """The first block of code in this language under the heading."""
    section = document.read_text().split(f"\n{heading}\n", 1)[1]
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found is not None, f"{document} has no {language} under {heading}"
    return found[1]


def filled(text: str, values: dict[str, str]) -> str:
    """The text with an operator's own values in the places of the document's."""
    for documented, own in values.items():
        assert documented in text, f"{documented!r} is not documented any more"
        text = text.replace(documented, own)
    return text


def nginx(*, port: int, upstream: int, stillwatch: int, key: str) -> str:
    """A whole configuration. Customers' requests go to `upstream`, with the check failing open."""
    values = {
        "listen 8080": f"listen 127.0.0.1:{port}",
        "127.0.0.1:8001": f"127.0.0.1:{stillwatch}",
        "http://your_api": f"http://127.0.0.1:{upstream}",
        "swk_…": key,
    }
    return f"""
pid nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy;
  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
{indent(filled(block(GATEWAYS, "### nginx", "nginx"), values), "  ")}
}}
"""


def envoy(*, port: int, upstream: int, stillwatch: int, key: str) -> str:
    """A whole configuration. Customers' requests go to `upstream`, with the check failing open."""
    checked = filled(
        block(GATEWAYS, "### Envoy", "yaml"), {"http://stillwatch:8001": f"http://127.0.0.1:{stillwatch}", "swk_…": key}
    )
    return f"""
static_resources:
  listeners:
    - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/{MANAGER}
                stat_prefix: api
                http_protocol_options: {{accept_http_10: true, default_host_for_http_10: api}}
                common_http_protocol_options: {{max_headers_count: 1000}}
                max_request_headers_kb: 8192
                route_config:
                  virtual_hosts:
                    - name: api
                      domains: ["*"]
                      routes: [{{match: {{prefix: /}}, route: {{cluster: your_api}}}}]
                http_filters:
{indent(checked, 18 * " ")}
                  - name: envoy.filters.http.router
                    typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
{_cluster("stillwatch", stillwatch)}
{_cluster("your_api", upstream)}
"""


def litellm(*, stillwatch: str) -> str:
    """A whole configuration, with the guardrail failing open."""
    guardrail = filled(block(LITELLM, "## Decisions out", "yaml"), {"https://stillwatch.example.com": stillwatch})
    return f"""
model_list:
  - model_name: flagship-2
    litellm_params: {{model: openai/flagship-2-deployed, api_key: none, mock_response: "A fine answer."}}

{guardrail}
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
  custom_auth: customers.recognise
"""


def _cluster(name: str, port: int) -> str:
    return f"""
    - name: {name}
      connect_timeout: 1s
      type: STATIC
      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          common_http_protocol_options: {{max_headers_count: 1000}}
          explicit_http_config: {{http_protocol_options: {{}}}}
      load_assignment:
        cluster_name: {name}
        endpoints:
          - lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}}}]"""
