# Rasid in a container. Configuration and database lie in volumes:
#   docker build -t rasid . && docker run --env-file .env -v rasid-config:/home/rasid/news/config -v rasid-data:/home/rasid/news/data rasid
FROM python:3.12-slim AS build
WORKDIR /src
# The compiler is for the matcher's kernel, and stays behind in this stage.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev
COPY pyproject.toml hatch_build.py constraints.txt README.md LICENSE ./
COPY monitor monitor
COPY config config
COPY migrations migrations
RUN python -m venv /opt/rasid && /opt/rasid/bin/pip install --no-cache-dir -c constraints.txt .

FROM python:3.12-slim
# Made here because some builders give a WORKDIR to root whatever USER says.
RUN useradd --uid 10001 --create-home rasid && install -d -o rasid -g rasid /home/rasid/news
COPY --from=build /opt/rasid /opt/rasid
ENV PATH=/opt/rasid/bin:$PATH PYTHONUNBUFFERED=1 XDG_CACHE_HOME=/home/rasid/.cache RASID_HTTP__PORT=8787
USER rasid
WORKDIR /home/rasid/news
# The first start of a named volume takes over what lies here: the commented default configuration. Testing its rules
# leaves the dictionary of Arabic forms in the image, so that no container builds it.
RUN rasid init . && mkdir -p data && rasid rules test
VOLUME ["/home/rasid/news/config", "/home/rasid/news/data"]
HEALTHCHECK --interval=60s --timeout=5s --start-period=30s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8787/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
CMD ["rasid", "run"]
