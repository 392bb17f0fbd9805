# One container: the database, the web server, the workers and the watcher.
#   docker build -t filmroll .
#   docker build --build-arg EXTRA=-meaning -t filmroll .    with what search by meaning takes (docs/search.md)
#   docker run -p 8000:8000 -v filmroll:/data -v /path/to/photos:/photos:ro filmroll
ARG BASE=debian:bookworm-slim
FROM ${BASE}

RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ca-certificates python3 python3-venv tini tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 1000 --create-home --home-dir /home/filmroll filmroll \
 && mkdir -p /app /data /photos && chown filmroll:filmroll /data

WORKDIR /app
# The lock file alone first: a change of the program does not install everything anew.
ARG EXTRA=
COPY requirements${EXTRA}.lock ./
RUN python3 -m venv .venv \
 && .venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements${EXTRA}.lock
COPY LICENSE README.md manage.py pyproject.toml ./
COPY events events
COPY core core
COPY workers workers
COPY templates templates
COPY static static
# Every program and every child process would compile it anew: they cannot write here.
RUN .venv/bin/python -m compileall -q events core workers manage.py

ENV FILMROLL_DATA_DIR=/data FILMROLL_HOST=0.0.0.0 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER filmroll
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD [".venv/bin/python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ.get(\"FILMROLL_PORT\") or 8000}/healthz', timeout=4)"]
# tini is process 1: it passes signals on and buries what killed children leave behind.
ENTRYPOINT ["tini", "--", ".venv/bin/python", "manage.py"]
CMD ["up", "--photos", "/photos"]
