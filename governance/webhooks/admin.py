from django.contrib import admin

from governance.audit.read_only_admin import ReadOnlyAdmin
from governance.webhooks.models import Delivery, Webhook


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin):
    list_display = ("url", "created_at", "created_by", "sequence", "disabled_at", "disabled_because")
    exclude = ("secrets",)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("webhook", "change", "state", "attempts", "due_at", "last_status", "last_error")
    list_filter = ("state",)
    list_select_related = ("webhook", "change")
