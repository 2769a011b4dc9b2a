"""How tables that are history look in the admin: there to be read, searched and filtered, and nothing else."""

from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin


class HistoryAdmin(ModelAdmin):
    """Nobody adds, changes or deletes here, whatever their role: rows come from actions alone."""

    list_per_page = 50
    show_full_result_count = False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only the filters that the page offers: by any other field, such as a digest, its value could be guessed."""
        filters = [name[0] if isinstance(name, tuple) else name for name in self.list_filter]
        field = lookup.partition("__")[0]
        is_offered = field in {*filters, self.date_hierarchy}
        return is_offered and super().lookup_allowed(lookup, value, request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
