"""The board as Gunicorn serves it, with little patience for bodies."""

from dashboard.web.bodies import read_bodies
from dashboard.wsgi import get_wsgi_application

DEADLINE_S = 1.5
application = read_bodies(get_wsgi_application(), DEADLINE_S)
