"""URLs of the pages about people that belong to no one organization."""

from django.urls import path

from organizations.people import views

app_name = "organizations"

urlpatterns = [
    path("organizations/", views.organization_list, name="list"),
    path("organizations/new/", views.organization_new, name="new"),
    path("organizations/join/", views.organization_join, name="join"),
    path("invitations/<int:pk>/<str:secret>/", views.invitation, name="invitation"),
]
