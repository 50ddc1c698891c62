"""URLs of the pages about people that belong to no one organization."""

from django.urls import path

from organizations.people import views
from organizations.profile import views as profile

app_name = "organizations"

urlpatterns = [
    path("profile/", profile.profile, name="profile"),
    path("profile/time-zone/", profile.report_time_zone, name="report_time_zone"),
    path("profile/theme/", profile.set_theme, name="set_theme"),
    path("profile/sessions/end/", profile.end_other_sessions, name="end_other_sessions"),
    path("profile/sessions/<int:session_pk>/end/", profile.end_session, name="end_session"),
    path("organizations/", views.organization_list, name="list"),
    path("organizations/new/", views.organization_new, name="new"),
    path("organizations/join/", views.organization_join, name="join"),
    path("invitations/<int:pk>/<str:secret>/", views.invitation, name="invitation"),
]
