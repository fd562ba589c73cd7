# syntax=docker/dockerfile:1
# One image for the API and the page; the command differs. No compiler, no torch, no root.

FROM python:3.11-slim-bookworm AS build
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
WORKDIR /src
RUN python -m venv /opt/attest
COPY requirements-uv.lock requirements.lock ./
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements-uv.lock \
    && uv pip install --no-cache --python /opt/attest/bin/python --no-deps --require-hashes -r requirements.lock
COPY pyproject.toml LICENSE README.md ./
COPY core core
COPY retrieval retrieval
COPY ingest ingest
COPY agents agents
COPY app app
COPY ui ui
COPY evals evals
RUN uv pip install --no-cache --python /opt/attest/bin/python --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --create-home --home-dir /home/attest attest \
    && install -d -o attest -g attest /data /models
COPY --from=build /opt/attest /opt/attest
COPY --chown=attest:attest .streamlit /home/attest/.streamlit
ENV PATH=/opt/attest/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ATTEST_DATA=/data \
    ATTEST_CACHE=/models \
    LANGSMITH_TRACING=false \
    STREAMLIT_BROWSER_GATHER_USAGE_STATS=false
USER 10001:10001
WORKDIR /home/attest
VOLUME ["/data", "/models"]
EXPOSE 8765 8766
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8765/health/live', timeout=4)"]
ENTRYPOINT ["attest"]
CMD ["serve"]
