"""The REST API, mounted at /api/v1/. Guide: docs/api.md; reference: /api/v1/docs."""

from jobs.api import account_changes, files, me, presets, templates, watch
from jobs.api.actions import batches, bulk, notes
from jobs.api.auth import TokenAuth
from jobs.api.http.json_api import JsonAPI
from organizations.permissions import Permission

api = JsonAPI(
    title="Reelboard",
    version="1",
    description="Encoding jobs of all providers: read them, submit, cancel and run them again.",
    urls_namespace="api",
    auth=TokenAuth(Permission.READ),
)
# before the jobs, among which it would be an id
api.add_router("/jobs/watch", watch.router)
# the router of jobs.api.jobs, with what jobs.api.actions.jobs and notes add to it
api.add_router("/jobs", notes.router)
api.add_router("/jobs", files.links)
# the router of jobs.api.accounts, with what account_changes adds to it
api.add_router("/accounts", account_changes.router)
api.add_router("/presets", presets.router)
api.add_router("/templates", templates.router)
api.add_router("/files", files.router)
api.add_router("/bulk", bulk.router)
api.add_router("/batches", batches.router)
api.add_router("/me", me.router)
