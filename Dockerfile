# One image for web, worker and beat: what it runs is the command it is given.

FROM python:3.13-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install -r requirements.txt

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/reelboard reelboard
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    VAR_DIR=/var/lib/reelboard \
    WEB_HOST=0.0.0.0 \
    LOG_FORMAT=json
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv/reelboard
COPY . .
USER reelboard
# DEBUG spares this one command the secrets, which must not be in an image.
RUN DEBUG=1 python manage.py collectstatic --no-input --verbosity 0
EXPOSE 8000
CMD ["gunicorn", "dashboard.wsgi"]
