"""The supervisor's pages."""

from django.urls import path

from workitems.pages import views

urlpatterns = [
    path("supervisor/", views.open_work, name="open-work"),
    path("supervisor/presence/", views.set_presence, name="presence"),
    path("supervisor/agents/<str:username>/return-all/", views.return_all, name="return-all"),
    path("supervisor/workitems/<str:workitem_id>/", views.workitem, name="workitem"),
    path("supervisor/workitems/<str:workitem_id>/<str:action>/", views.act, name="act"),
]
