from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class WebConfig(AppConfig):
    name = "governance.web"


class AdminConfig(DjangoAdminConfig):
    default_site = "governance.web.admin_site.AdminSite"
