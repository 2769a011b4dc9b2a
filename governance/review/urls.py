"""The pages of the queue."""

from django.urls import path

from governance.review import queue_views, views, work_views
from governance.review.bulk import views as bulk
from governance.review.campaigns import regrouping_views
from governance.review.campaigns import views as campaigns
from governance.review.restrictions import views as in_force

app_name = "review"
urlpatterns = [
    path("queue/", queue_views.queue, name="queue"),
    path("restrictions/", in_force.restrictions, name="restrictions"),
    path("restrictions/<int:number>/lift/", in_force.lift_from_list, name="restriction-lift"),
    path("campaigns/", campaigns.campaigns, name="campaigns"),
    path("campaigns/<uuid:pk>/", campaigns.campaign, name="campaign"),
    path("campaigns/<uuid:pk>/split/", regrouping_views.split_off_members, name="campaign-split"),
    path("campaigns/<uuid:pk>/merge/", regrouping_views.merge_into_campaign, name="campaign-merge"),
    path("cases/<uuid:pk>/campaign/preview/", campaigns.preview_campaign_decision, name="campaign-preview"),
    path("cases/<uuid:pk>/campaign/decide/", campaigns.make_campaign_decision, name="campaign-decide"),
    path("bulk/", bulk.bulk_preview, name="bulk"),
    path("bulk/decide/", bulk.make_bulk_decision, name="bulk-decide"),
    path("bulk/<uuid:pk>/", bulk.bulk_decision, name="bulk-decision"),
    path("bulk/<uuid:pk>/undo/", bulk.undo_bulk_decision, name="bulk-undo"),
    path("cases/next/", queue_views.next_case, name="next-case"),
    path("queue/views/save/", queue_views.save_view, name="view-save"),
    path("queue/views/<uuid:pk>/remove/", queue_views.remove_view, name="view-remove"),
    path("inbox/", queue_views.inbox, name="inbox"),
    path("inbox/read/", queue_views.read_inbox, name="inbox-read"),
    path("colleagues/", queue_views.list_colleagues, name="colleagues"),
    path("cases/<uuid:pk>/", views.case, name="case"),
    path("cases/<uuid:pk>/claim/", views.claim, name="case-claim"),
    path("cases/<uuid:pk>/release/", views.release, name="case-release"),
    path("cases/<uuid:pk>/hold/", work_views.hold, name="case-hold"),
    path("cases/<uuid:pk>/resume/", work_views.resume, name="case-resume"),
    path("cases/<uuid:pk>/assign/", work_views.assign, name="case-assign"),
    path("cases/<uuid:pk>/escalate/", work_views.escalate, name="case-escalate"),
    path("cases/<uuid:pk>/answer/", work_views.answer, name="case-answer"),
    path("cases/<uuid:pk>/skip/", work_views.skip, name="case-skip"),
    path("cases/<uuid:pk>/viewers/", work_views.viewers, name="case-viewers"),
    path("cases/<uuid:pk>/note/", views.note, name="case-note"),
    path("cases/<uuid:pk>/excerpts/", views.excerpts, name="case-excerpts"),
    path("cases/<uuid:pk>/reopen/", views.reopen, name="case-reopen"),
    path("cases/<uuid:pk>/decide/", views.decide, name="case-decide"),
    path("cases/<uuid:pk>/undo/", views.undo, name="case-undo"),
    path("cases/<uuid:pk>/restrictions/<int:number>/lift/", views.lift, name="case-lift"),
]
