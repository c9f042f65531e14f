# Rasid in a container. Configuration and database lie in volumes:
#   docker build -t rasid . && docker run --env-file .env -v rasid-config:/home/rasid/news/config -v rasid-data:/home/rasid/news/data rasid
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY monitor monitor
COPY config config
COPY migrations migrations
RUN python -m venv /opt/rasid && /opt/rasid/bin/pip install --no-cache-dir -c constraints.txt .

FROM python:3.12-slim
RUN useradd --uid 10001 --create-home rasid
COPY --from=build /opt/rasid /opt/rasid
ENV PATH=/opt/rasid/bin:$PATH PYTHONUNBUFFERED=1 RASID_HTTP__PORT=8787
USER rasid
WORKDIR /home/rasid/news
# The first start of a named volume takes over what lies here: the commented default configuration.
RUN rasid init . && mkdir -p data
VOLUME ["/home/rasid/news/config", "/home/rasid/news/data"]
HEALTHCHECK --interval=60s --timeout=5s --start-period=30s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8787/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
CMD ["rasid", "run"]
